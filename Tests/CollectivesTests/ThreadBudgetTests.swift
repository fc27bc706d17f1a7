import Collectives
import Testing

@Suite struct ThreadBudgetTests {
  private let eight = ProcessorSet(0..<8)

  @Test func `a wish is taken from the flag, then lkdist's variable, then Slurm's`() throws {
    let all = ["LKDIST_THREADS": "3", "SLURM_CPUS_PER_TASK": "5"]
    #expect(try ThreadBudget.requested(flag: 2, environment: all)?.0 == 2)
    #expect(try ThreadBudget.requested(flag: nil, environment: all)?.0 == 3)
    let slurm = ["SLURM_CPUS_PER_TASK": "5"]
    #expect(try ThreadBudget.requested(flag: nil, environment: slurm)?.1 == .slurm)
    #expect(try ThreadBudget.requested(flag: nil, environment: [:]) == nil)
  }

  @Test(arguments: ["0", "-1", "two", "1.5", "99999"])
  func `a wish that is no number of threads is refused by name`(value: String) {
    let error = CommunicationError.badThreadCount(setting: "LKDIST_THREADS", value: value)
    #expect(throws: error) {
      try ThreadBudget.requested(flag: nil, environment: ["LKDIST_THREADS": value])
    }
    #expect(error.description.contains(value))
  }

  @Test func `ranks with the same processors share them, the remainder goes to the lower ranks`() {
    let shares = (0..<3).map {
      ThreadBudget.share(of: [eight, eight, eight], localRank: $0, limit: nil)
    }
    #expect(shares == [3, 3, 2])
  }

  @Test func `ranks with processors of their own keep them`() {
    let masks = [ProcessorSet(0..<4), ProcessorSet(4..<8), ProcessorSet(4..<8)]
    let shares = (0..<3).map { ThreadBudget.share(of: masks, localRank: $0, limit: nil) }
    #expect(shares == [4, 2, 2])
  }

  @Test func `overlapping processors are divided among those who hold them`() {
    let masks = [ProcessorSet(0..<8), ProcessorSet(4..<8)]
    #expect(ThreadBudget.share(of: masks, localRank: 0, limit: nil) == 6)
    #expect(ThreadBudget.share(of: masks, localRank: 1, limit: nil) == 2)
  }

  @Test func `a time limit is shared by all ranks of the host and leaves each a thread`() {
    let shares = (0..<3).map {
      ThreadBudget.share(of: [eight, eight, eight], localRank: $0, limit: 2.5)
    }
    #expect(shares == [1, 1, 1])
    #expect(ThreadBudget.share(of: [eight], localRank: 0, limit: 3.9) == 3)
    #expect(ThreadBudget.share(of: [eight], localRank: 0, limit: 0.5) == 1)
  }

  @Test func `more threads than processors are said`() {
    let masks = [ProcessorSet(0..<2), ProcessorSet(0..<2)]
    #expect(
      ThreadBudget.crowding(threads: 2, ranks: 2, masks: masks, limit: nil, host: "n1") == nil)
    let note = ThreadBudget.crowding(threads: 3, ranks: 2, masks: masks, limit: nil, host: "n1")
    #expect(note?.hasPrefix("n1 has 2 processors for 2 ranks with 3 threads") == true)
    #expect(
      ThreadBudget.crowding(threads: 2, ranks: 2, masks: masks, limit: 1, host: "n1") != nil)
  }
}

@Suite struct ProcessorSetTests {
  @Test(arguments: ["0", "0-1", "0-3,8", "1,3,5-7,64-130", ""])
  func `a list of processors is read and written in the kernel's way`(list: String) throws {
    let set = try #require(ProcessorSet(list: list))
    #expect(set.description == list)
    #expect(ProcessorSet(bytes: set.bytes) == set)
  }

  @Test(arguments: ["x", "3-1", "0-9999", "1-2-3", "-"])
  func `what is not a list of processors is refused`(list: String) {
    #expect(ProcessorSet(list: list) == nil)
  }

  @Test func `this process may use at least one processor`() throws {
    #expect(try #require(ProcessorSet.allowed()).count >= 1)
  }
}

@Suite struct LaunchBindingTests {
  private let bound = ["OMPI_MCA_orte_bound_at_launch": "1"]

  @Test func `a binding that nobody asked for is told from one that was`() {
    #expect(LaunchBinding.isDefault(environment: bound))
    #expect(!LaunchBinding.isDefault(environment: [:]))
    let wishes = [
      ("OMPI_MCA_hwloc_base_binding_policy", "core"), ("OMPI_MCA_orte_rankfile", "f"),
      ("OMPI_MCA_rmaps_base_mapping_policy", "slot:PE=2"), ("OMPI_MCA_hwloc_base_cpu_set", "0"),
    ]
    for (name, value) in wishes {
      #expect(!LaunchBinding.isDefault(environment: bound.merging([name: value]) { $1 }))
    }
  }

  @Test func `a widened mask is said with both masks`() {
    let text = LaunchBinding.sentence(before: ProcessorSet([1]), after: ProcessorSet(0..<4))
    #expect(text.hasPrefix("mpirun bound this rank to processor 1 by default"))
    #expect(text.contains("processors 0-3"))
  }
}

@Suite struct ProcessorLimitTests {
  private func limit(_ files: [String: String]) -> Double? {
    ProcessorLimit.processors { files[$0] }
  }

  @Test func `version 2 groups limit by their own file and by those above`() {
    let files = [
      "/proc/self/cgroup": "0::/job/task\n", "/sys/fs/cgroup/job/task/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/job/cpu.max": "250000 100000\n", "/sys/fs/cgroup/cpu.max": "400000 100000\n",
    ]
    #expect(limit(files) == 2.5)
  }

  @Test func `version 1 groups limit by quota and period, and -1 is no limit`() {
    var files = [
      "/proc/self/cgroup": "5:cpu,cpuacct:/docker/a:b\n1:memory:/x\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "50000\n",
    ]
    #expect(limit(files) == 3)
    files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = "-1\n"
    #expect(limit(files) == nil)
  }

  @Test func `without control groups there is no limit`() { #expect(limit([:]) == nil) }
}
