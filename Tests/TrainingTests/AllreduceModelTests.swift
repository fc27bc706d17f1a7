import Imaging
import Testing
import Training

@Suite struct AllreduceModelTests {
  // Powers of two, so that sums of products are exact.
  private let network = NetworkModel(
    inside: NetworkModel.Link(latency: 0x1p-20, overhead: 0x1p-22, gap: 0x1p-32),
    between: NetworkModel.Link(latency: 0x1p-16, overhead: 0x1p-18, gap: 0x1p-30),
    addition: 0x1p-33, conversion: 0x1p-34, nap: 0x1p-13)
  private let bytes = 1 << 22

  private func seconds(
    _ algorithm: AllreduceAlgorithm, _ ranks: Int, perNode: Int = 1,
    _ compression: Configuration.Compression = .none
  ) -> Double {
    algorithm.seconds(
      bytes: bytes, over: RankPlacement(ranks: ranks, ranksPerNode: perNode),
      compression: compression, on: network)
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * abs(b) }

  // MARK: - Closed forms

  @Test(arguments: [2, 3, 8, 100]) func `a ring takes 2 (n - 1) rounds of a shard`(ranks: Int) {
    let (n, b) = (Double(ranks), Double(bytes))
    let link = network.between
    let expected =
      2 * (n - 1) * (link.latency + b / n * link.gap) + (n - 1) * b / n * network.addition
    #expect(isClose(seconds(.ring, ranks), expected))
  }

  @Test func `recursive doubling takes log n rounds of all bytes, and two more to fold`() {
    let b = Double(bytes)
    let round = network.between.latency + b * network.between.gap
    #expect(isClose(seconds(.tree, 16), 4 * (round + b * network.addition)))
    #expect(isClose(seconds(.tree, 19), 6 * round + 5 * b * network.addition))
  }

  @Test func `Rabenseifner takes 2 log n rounds and moves as little as a ring`() {
    let (n, b) = (64.0, Double(bytes))
    let moved = (n - 1) / n * b
    let expected =
      12 * network.between.latency + 2 * moved * network.between.gap + moved * network.addition
    #expect(isClose(seconds(.rabenseifner, 64), expected))
    let folded =
      expected + 3 * network.between.latency
      + 2 * b * network.between.gap + b / 2 * network.addition
    #expect(isClose(seconds(.rabenseifner, 65), folded))
  }

  @Test func `a binomial tree goes up and down`() {
    let b = Double(bytes)
    let round = network.between.latency + b * network.between.gap
    #expect(isClose(seconds(.reduceBroadcast, 8), 6 * round + 3 * b * network.addition))
    #expect(isClose(seconds(.reduceBroadcast, 9), 8 * round + 4 * b * network.addition))
  }

  @Test func `shards are two bursts of a message to each rank`() {
    let (n, b) = (32.0, Double(bytes))
    let link = network.between
    let burst = link.latency + (n - 2) * link.overhead + (n - 1) * b / n * link.gap
    let expected = 2 * (burst + network.nap) + (n - 1) * b / n * network.addition
    #expect(isClose(seconds(.shards, 32), expected))
    let half = 2 * (burst - (n - 1) * b / n * link.gap / 2 + network.nap)
    let sums = (n - 1) * b / n * network.addition + 2 * b * network.conversion
    #expect(isClose(seconds(.shards, 32, .bf16), half + sums))
  }

  @Test func `one rank sends nothing`() {
    for algorithm in AllreduceAlgorithm.allCases { #expect(seconds(algorithm, 1) == 0) }
  }

  // MARK: - Hosts

  private func work(_ algorithm: AllreduceAlgorithm, _ ranks: Int, perNode: Int) -> AllreduceWork {
    algorithm.work(bytes: bytes, over: RankPlacement(ranks: ranks, ranksPerNode: perNode))
  }

  @Test func `within one host nothing crosses the network`() {
    for algorithm in AllreduceAlgorithm.allCases {
      let work = work(algorithm, 8, perNode: 16)
      #expect(work.between == AllreduceWork.Traffic(), "\(algorithm)")
      #expect(work.inside.bytes > 0, "\(algorithm)")
    }
  }

  @Test func `ranks of a host share its network card`() {
    let b = Double(bytes)
    // Each of 4 ranks sends 60 of 64 shards away, twice.
    #expect(work(.shards, 64, perNode: 4).between.bytes == 2 * 4 * 60 * b / 64)
    // Of a ring only one rank of a host sends to the next host.
    #expect(work(.ring, 64, perNode: 4).between.bytes == 2 * 63 * b / 64)
    // Distances 1 and 2 stay inside, 4 ranks send in the other rounds.
    let doubled = work(.tree, 64, perNode: 4)
    #expect(doubled.inside.rounds == 2 && doubled.between.rounds == 4)
    #expect(doubled.between.bytes == 4 * 4 * b)
  }

  @Test func `a hierarchical sum moves each byte across the network as if a host were one rank`() {
    let (ranksPerNode, nodes, b) = (4.0, 16.0, Double(bytes))
    let inner = network.inside.latency + b / ranksPerNode * network.inside.gap
    let outer =
      8 * network.between.latency + 2 * (nodes - 1) / nodes * b * network.between.gap
    let added = (ranksPerNode - 1) / ranksPerNode * b + (nodes - 1) / nodes * b / ranksPerNode
    let expected = 2 * (ranksPerNode - 1) * inner + outer + added * network.addition
    #expect(isClose(seconds(.hierarchical, 64, perNode: 4), expected))
    #expect(isClose(seconds(.hierarchical, 64), seconds(.rabenseifner, 64)))
  }

  // MARK: - Open MPI's choice

  @Test func `Open MPI's table decides`() {
    let expected: [(bytes: Int, ranks: Int, algorithm: AllreduceAlgorithm)] = [
      (4, 2, .ring), (100, 3, .tree), (100_000, 2, .ring), (1 << 22, 2, .rabenseifner),
      (8191, 4, .tree), (8192, 4, .rabenseifner), (8192, 15, .rabenseifner), (63, 31, .ring),
      (127, 32, .ring), (128, 63, .rabenseifner), (262_143, 127, .tree),
      (131_071, 128, .reduceBroadcast), (4095, 511, .reduceBroadcast), (16_383, 2047, .tree),
      (1 << 22, 2047, .rabenseifner), (3000, 2048, .ring), (1 << 22, 4095, .rabenseifner),
      (20_000, 4096, .tree), (1 << 22, 4096, .ring),
    ]
    for (bytes, ranks, algorithm) in expected {
      #expect(
        AllreduceAlgorithm.ofOpenMPI(bytes: bytes, ranks: ranks) == algorithm,
        "\(bytes) bytes, \(ranks) ranks")
    }
    #expect(seconds(.openMPI, 64) == seconds(.rabenseifner, 64))
  }

  // MARK: - Constants

  @Test func `a speed given by hand is the link between hosts`() throws {
    let model = NetworkModel(try #require(NetworkSpeed("25Gbps,2us")))
    #expect(model.between.gap == 8 / 25e9 && model.between.latency == 2e-6)
    let unsaid = NetworkModel(try #require(NetworkSpeed("1Gbps")))
    #expect(unsaid.between.latency == NetworkModel.usualLatency)
    #expect(unsaid.inside == model.inside)
  }

  @Test func `the usual costs of a host explain what two of its ranks took`() throws {
    let host = RankPlacement(ranks: 2, ranksPerNode: 2)
    let costs = NetworkModel(try #require(NetworkSpeed("1Gbps")))
    for (compression, milliseconds) in [(Configuration.Compression.none, 32.0), (.bf16, 58)] {
      let seconds = AllreduceAlgorithm.shards.seconds(
        bytes: bytes, over: host, compression: compression, on: costs)
      #expect(abs(16e3 * seconds / milliseconds - 1) < 0.1, "\(compression)")
    }
  }

  private func measured(
    _ sizes: [Int], ranks: Int, perNode: Int = 1,
    _ compression: Configuration.Compression = .none, slower factor: Double = 1
  ) -> [AllreduceMeasurement] {
    sizes.map { size in
      let buckets = (size + bytes - 1) / bytes
      let sum = (0..<buckets).reduce(0.0) { sum, bucket in
        sum
          + AllreduceAlgorithm.shards.seconds(
            bytes: min(bytes, size - bucket * bytes),
            over: RankPlacement(ranks: ranks, ranksPerNode: perNode), compression: compression,
            on: network)
      }
      return AllreduceMeasurement(
        bytes: size, bucketBytes: bytes, ranks: ranks, compression: compression,
        seconds: sum * factor)
    }
  }

  private var unfitted: NetworkModel {
    var model = network
    model.between.latency = 1
    model.between.gap = 1
    model.conversion = 1
    return model
  }

  @Test func `a fit finds the costs that made the measurements`() {
    let sizes = [1 << 12, 1 << 20, 9 << 20, 64 << 20]
    let all = measured(sizes, ranks: 4) + measured(sizes, ranks: 4, .bf16)
    let fitted = unfitted.fitted(to: all, ranksPerNode: 1)
    #expect(abs(fitted.between.latency / (network.between.latency + network.nap) - 1) < 1e-6)
    #expect(fitted.nap == 0)
    #expect(abs(fitted.between.gap / network.between.gap - 1) < 1e-6)
    #expect(abs(fitted.conversion / network.conversion - 1) < 1e-6)
    #expect(fitted.inside == network.inside)
  }

  @Test func `small sums that a network lets through at once do not hide its speed`() {
    // Two hosts at 1 Gbit/s behind a token bucket of 256 KiB, as measured; they reach 64 MB/s.
    let milliseconds = [
      4096: 0.194, 65_536: 0.248, 262_144: 2.064, 1 << 20: 14.962, 1 << 22: 65.912,
      1 << 24: 266.885, 1 << 26: 1052.652,
    ]
    let measured = milliseconds.map {
      AllreduceMeasurement(
        bytes: $0, bucketBytes: bytes, ranks: 2, compression: .none, seconds: $1 / 1e3)
    }
    let gap = unfitted.fitted(to: measured, ranksPerNode: 1).between.gap
    #expect(abs(64e6 * gap - 1) < 0.05, "\(1e-6 / gap) MB/s")
  }

  @Test func `ranks of one host tell of shared memory alone`() {
    var model = network
    model.inside.gap = 1
    let fitted = model.fitted(
      to: measured([1 << 16, 1 << 24], ranks: 2, perNode: 2), ranksPerNode: 2)
    #expect(abs(fitted.inside.gap / network.inside.gap - 1) < 1e-6)
    #expect(fitted.between == network.between)
  }

  @Test func `what measurements do not tell stays as it was, and no cost is below 0`() {
    #expect(unfitted.fitted(to: [], ranksPerNode: 1) == unfitted)
    let fast = measured([1 << 12, 1 << 24], ranks: 2, slower: 1e-3)
    let fitted = unfitted.fitted(to: fast, ranksPerNode: 1)
    #expect(fitted.between.latency >= 0 && fitted.between.gap >= 0)
    #expect(fitted.conversion == unfitted.conversion)
  }

  @Test func `lines of the benchmark are read and others are not`() throws {
    let line = """
      {"bytes": 1048576, "bucket_bytes": 4194304, "ranks": 2, "compression": "bf16", \
      "seconds": 0.5, "gb_per_s": 1}
      """
    #expect(
      AllreduceMeasurement(try JSON.parse(line))
        == AllreduceMeasurement(
          bytes: 1_048_576, bucketBytes: 4_194_304, ranks: 2, compression: .bf16, seconds: 0.5))
    #expect(AllreduceMeasurement(["bytes": .integer(4)]) == nil)
  }
}
