import Collectives
import Testing

@Suite struct RoundRobinTests {
  @Test(arguments: 0...9) func `each player meets each other once, never two at a time`(
    players: Int
  ) {
    let rounds = RoundRobin.rounds(of: players)
    for round in rounds {
      let busy = round.flatMap { [$0.0, $0.1] }
      #expect(Set(busy).count == busy.count)
    }
    let met = rounds.flatMap { $0 }.map { "\($0.0) \($0.1)" }
    let all = (0..<players).flatMap { first in
      (first + 1..<max(players, first + 1)).map { "\(first) \($0)" }
    }
    #expect(met.sorted() == all.sorted())
  }
}

@Suite struct LauncherTests {
  @Test func `the environment tells the launcher and its ranks`() {
    #expect(Launcher(environment: [:]).kind == .none)
    let mpirun = Launcher(
      environment: ["OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_RANK": "3", "PMI_SIZE": "2"])
    #expect(mpirun.kind == .mpirun && mpirun.ranks == 8 && mpirun.rank == 3)
    let srun = Launcher(
      environment: ["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1"])
    #expect(srun.kind == .srun && srun.ranks == 4 && srun.rank == 1)
    let hydra = Launcher(environment: ["PMI_SIZE": "2", "PMI_RANK": "1"])
    #expect(hydra.kind == .hydra && hydra.ranks == 2 && hydra.rank == 1)
  }
}

@Suite struct HostMemoryTests {
  private func limit(_ files: [String: String]) -> Int? { HostMemory.limit { files[$0] } }

  @Test func `the smallest limit of the control groups holds`() {
    let files = [
      "/proc/self/cgroup": "0::/slurm/job_1/step_0\n",
      "/sys/fs/cgroup/slurm/job_1/step_0/memory.max": "max\n",
      "/sys/fs/cgroup/slurm/job_1/memory.max": "4294967296\n",
      "/sys/fs/cgroup/memory.max": "8589934592\n",
    ]
    #expect(limit(files) == 4 << 30)
  }

  @Test func `version 1 is read, and its no-limit is none`() {
    let group = "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"
    let line = ["/proc/self/cgroup": "3:memory:/a\n"]
    #expect(limit(line.merging([group: "1048576\n"]) { $1 }) == 1 << 20)
    #expect(limit(line.merging([group: "9223372036854771712\n"]) { $1 }) == nil)
    #expect(limit([:]) == nil)
  }

  @Test func `a process has memory`() { #expect(HostMemory.bytes > 1 << 20) }
}
