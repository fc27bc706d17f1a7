import Collectives
import Testing
import Training

/// What `lkdist doctor` says of facts, with each fault put in.
@Suite struct DoctorTests {
  /// Sound facts of two hosts with two ranks each.
  private var sound: [RankFacts] {
    (0..<4).map { rank in
      RankFacts(
        rank: rank, host: "node\(rank / 2 + 1)", program: "1", library: "Open MPI v4.1.4",
        allowsThreads: true, processors: 16, threads: 16, instructionSet: "avx2",
        blasCore: "Haswell", memory: 64 << 30, openFiles: 4096, hugePages: "madvise",
        clockOffset: 0)
    }
  }
  private let launcher = Launcher(environment: ["OMPI_COMM_WORLD_SIZE": "4"])

  /// The lines that are not ok, of facts in which the last rank's were changed.
  private func faults(_ change: (inout RankFacts) -> Void) -> [Diagnosis] {
    var facts = sound
    change(&facts[3])
    return MachineRules(facts, launcher: launcher).lines.filter { $0.status != .ok }
  }

  private func expect(
    _ faults: [Diagnosis], _ check: String, _ status: Diagnosis.Status, _ words: String,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(faults.map(\.check) == [check], sourceLocation: location)
    #expect(faults.first?.status == status, sourceLocation: location)
    #expect(
      faults.first?.message.contains(words) == true, "\(faults)", sourceLocation: location)
    #expect(faults.first?.fix?.isEmpty == false, sourceLocation: location)
  }

  @Test func `sound machines have a line for each check, all ok`() {
    let lines = MachineRules(sound, launcher: launcher).lines
    #expect(
      lines.map(\.check) == [
        "launcher", "versions", "MPI threads", "ranks", "binding", "instructions", "OpenBLAS",
        "memory", "limits", "huge pages", "clocks",
      ])
    #expect(lines.allSatisfy { $0.status == .ok && $0.fix == nil }, "\(lines)")
    #expect(lines[0].message == "mpirun, 4 ranks, Open MPI v4.1.4")
    #expect(lines[3].message == "2 hosts, ranks on each: node1 2, node2 2")
  }

  @Test(arguments: [
    ["OMPI_COMM_WORLD_SIZE": "4"], ["PMI_SIZE": "4", "PMI_RANK": "2"],
    ["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "PMIX_NAMESPACE": "x"],
  ])
  func `ranks that are each alone are an error`(environment: [String: String]) {
    let rules = MachineRules([sound[0]], launcher: Launcher(environment: environment))
    let faults = rules.lines.filter { $0.status != .ok }
    expect(faults, "launcher", .error, "4 ranks were started by")
  }

  @Test func `tasks that cannot find each other are an error`() {
    let report = DoctorRun.report(of: .noPMIx(tasks: 8))
    expect(report?.lines ?? [], "launcher", .error, "8 tasks without PMIx")
    #expect(DoctorRun.report(of: .noThreads) == nil)
  }

  @Test func `binaries and libraries that differ are an error`() {
    expect(
      faults { $0.library = "Open MPI v5.0.1" }, "versions", .error, "lkdist 1 with Open MPI v5.0.1"
    )
    expect(
      faults { $0.program = "2" }, "versions", .error, "lkdist 2 with Open MPI v4.1.4 on node2")
  }

  @Test func `faults of one rank are warnings that name its host`() {
    expect(faults { $0.allowsThreads = false }, "MPI threads", .warning, "node2")
    expect(faults { $0.host = "node1" }, "ranks", .warning, "node1 3, node2 1")
    expect(
      faults { $0.processors = 1 }, "binding", .warning,
      "rank 3 on node2 has 16 threads on 1 processors")
    expect(faults { $0.crowding = "node2 is full" }, "crowding", .warning, "node2 is full")
    expect(
      faults { $0.instructionSet = "avx512" }, "instructions", .warning,
      "avx2 on node1, node2; avx512 on node2")
    expect(faults { $0.instructionSetNote = "no sse9" }, "instructions", .warning, "no sse9")
    expect(faults { $0.blasCore = "Prescott" }, "OpenBLAS", .warning, "Prescott kernels on node2")
    expect(faults { $0.memory = 8 << 30 }, "memory", .warning, "4.0 GiB a rank on node2")
    expect(faults { $0.addressLimit = 1 << 30 }, "limits", .warning, "1.0 GiB of the host's 64.0")
    expect(faults { $0.openFiles = 256 }, "limits", .warning, "256 files")
    expect(faults { $0.lockedLimit = 1 << 16 }, "limits", .warning, "InfiniBand")
    expect(faults { $0.clockOffset = -7.5 }, "clocks", .warning, "7.500 s apart from node2")
  }

  @Test func `a processor without AVX2 is a warning`() {
    let facts = sound.map { fact in
      var fact = fact
      (fact.instructionSet, fact.blasCore) = ("baseline", "Prescott")
      return fact
    }
    let faults = MachineRules(facts, launcher: launcher).lines.filter { $0.status != .ok }
    expect(faults, "instructions", .warning, "no AVX2")
  }

  // MARK: - Network

  private func links(_ rates: [Double]) -> [NetworkProbe.Link] {
    let names = [("a", "b"), ("a", "c"), ("b", "c")]
    return zip(names, rates).map { NetworkProbe.Link($0.0, $0.1, rate: $1) }
  }

  @Test func `a slow pair of hosts is named`() {
    let probe = NetworkProbe(expected: nil)
    #expect(probe.pairs(links([1.1, 1.2, 1.0]))?.status == .ok)
    expect(
      [probe.pairs(links([1.1, 0.2, 1.0]))].compactMap { $0 }, "network", .warning,
      "a and c exchange 0.200 GB/s, other pairs of hosts 1.000")
    expect(
      [probe.pairs(links([0.01, 0.01, 0.01]))].compactMap { $0 }, "network", .warning,
      "less than Gigabit")
    expect(
      [NetworkProbe(expected: 3.1).pairs(links([1.1, 1.2, 1.0]))].compactMap { $0 }, "network",
      .warning, "b and c exchange 1.000 GB/s, 3.100 were expected")
    #expect(probe.pairs([]) == nil)
  }

  @Test func `ranks of one host that wait for processors are a warning`() {
    let probe = NetworkProbe(expected: nil)
    expect([probe.sum(0.01, isOneHost: true)], "allreduce", .warning, "0.010 GB/s within one host")
    #expect(probe.sum(0.01, isOneHost: false).status == .ok)
    #expect(probe.sum(2, isOneHost: true).status == .ok)
  }

  @Test func `speeds of networks are read with their units`() {
    #expect(NetworkSpeed("25Gbps,2us")?.bitsPerSecond == 25e9)
    #expect(NetworkSpeed("25Gbps,2us")?.latency == 2e-6)
    #expect(NetworkSpeed("100Mbps")?.gigabytesPerSecond == 0.0125)
    for text in ["", "25", "25Gb", "-1Gbps", "1Gbps,", "1Gbps,2", "1Gbps,2us,3", "infGbps"] {
      #expect(NetworkSpeed(text) == nil, "\(text)")
    }
  }

  // MARK: - Folder

  @Test func `folders that are not shared, in memory or full are told`() {
    let probe = FolderProbe("runs")
    func sights(_ change: (inout FolderProbe.Sight) -> Void) -> [Diagnosis] {
      var sights = ["node1", "node2"].map {
        FolderProbe.Sight(host: $0, seesFile: true, freeBytes: 1 << 40, isInMemory: false)
      }
      change(&sights[1])
      return probe.lines(of: sights).filter { $0.status != .ok }
    }
    #expect(sights { _ in }.isEmpty)
    expect(sights { $0.seesFile = false }, "file system", .error, "runs on node2 is not the root's")
    expect(sights { $0.isInMemory = true }, "file system", .warning, "lies in memory")
    expect(sights { $0.freeBytes = 1 << 30 }, "free space", .warning, "1.1 GB free")
  }
}
