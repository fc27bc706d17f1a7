import Foundation
import Imaging
import Tensors
import TestSupport
import Testing
import Training

@Suite struct StepSimulationTests {
  // Powers of two, so that every sum is exact. 4 buckets of 4 MiB, one each half second of backward.
  private let mebifloats = 1 << 20
  private var profile: StepProfile {
    StepProfile(
      patchSize: [64, 64, 64], forward: 1, backward: 2, update: 0.25,
      final: (1...4).map { .init(seconds: 0.5 * Double($0), gradients: $0 * mebifloats) })
  }

  private func run(
    _ profile: StepProfile, ranks: Int = 8, sum seconds: Double, bucketMiB: Double = 4,
    slow: StepSimulation.SlowRanks = .init(), seed: UInt64 = 1, steps: Int = 4
  ) -> StepSimulation.Outcome {
    StepSimulation(
      profile, ranks: ranks, bucketMiB: bucketMiB, slow: slow, seed: seed
    ) { _ in seconds }.run(steps: steps)
  }

  // MARK: - Closed forms

  @Test func `one rank sums nothing`() {
    let outcome = run(profile, ranks: 1, sum: 1)
    #expect(outcome.step == 3.25 && outcome.computing == 3.25)
    #expect(outcome.exposed == 0 && outcome.waitingForSlowest == 0)
  }

  @Test func `sums that are hidden take their share of the processor`() {
    // Four sums of an eighth second end before backward but the last, of which computing loses 3 / 4.
    let simulation = StepSimulation(
      profile, ranks: 2, bucketMiB: 4, seed: 1, lossPerByte: 0.5 / Double(4 * 4 * mebifloats)
    ) { _ in 0.125 }
    let outcome = simulation.run(steps: 2)
    #expect(outcome.step == 3.25 + 0.75 * 0.5)
    #expect(outcome.exposed == 0)
  }

  @Test func `one bucket is summed after backward, all of it exposed`() {
    let outcome = run(profile, sum: 0.75, bucketMiB: 16)
    #expect(outcome.step == 3.25 + 0.75)
    #expect(outcome.exposed == 0.75)
  }

  @Test func `of buckets that are summed while backward goes on the last one is exposed`() {
    let outcome = run(profile, sum: 0.5)
    #expect(outcome.step == 3.25 + 0.5)
    #expect(outcome.exposed == 0.5)
  }

  @Test func `sums slower than backward follow each other from the first release on`() {
    // Released 0.5 after the start of backward; 4 sums of 1.5; backward ends after 2.
    let outcome = run(profile, sum: 1.5)
    #expect(outcome.exposed == 0.5 + 4 * 1.5 - 2)
    #expect(outcome.step == 3.25 + 4.5)
  }

  @Test func `gradients that are final only at the end hide nothing`() {
    var late = profile
    late.final = [.init(seconds: 2, gradients: 4 * mebifloats)]
    #expect(run(late, sum: 0.25).exposed == 1)
  }

  @Test func `all wait for a slow rank, which is slow in all it does`() {
    let slow = StepSimulation.SlowRanks(share: 0.125, factor: 2)
    let outcome = run(profile, sum: 0.5, slow: slow, steps: 1)
    // Its last bucket comes 2 (1 + 2) after the start, then the sum and its update.
    let end = 6 + 0.5
    #expect(outcome.step == (7 * (end + 0.25) + end + 0.5) / 8)
    #expect(outcome.waitingForSlowest == 7.0 / 8 * 3)
    #expect(outcome.exposed == 0.5)
    #expect(outcome.computing == (7 * 3.25 + 6.5) / 8)
  }

  @Test func `the parts add up to the step, with random times, too`() {
    var jittery = profile
    jittery.jitter = 0.1
    let slow = StepSimulation.SlowRanks(share: 0.1, factor: 1.2)
    let outcome = run(jittery, ranks: 37, sum: 0.7, slow: slow, steps: 10)
    let parts = outcome.computing + outcome.waitingForSlowest + outcome.exposed
    #expect(abs(parts - outcome.step) < 1e-12)
    #expect(outcome.waitingForSlowest > 0)
  }

  // MARK: - Random times

  @Test func `times have the mean and deviation that were measured`() {
    var jittery = profile
    jittery.jitter = 0.2
    let steps = (0..<4000).map {
      run(jittery, ranks: 1, sum: 0, seed: UInt64($0), steps: 1).step / jittery.seconds
    }
    let mean = steps.reduce(0, +) / 4000
    let variance = steps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3999
    #expect(abs(mean - 1) < 0.015)
    #expect(abs(variance.squareRoot() - 0.2) < 0.01)
  }

  @Test func `drift is no jitter`() {
    #expect(StepProfile.jitter(of: [3]) == 0)
    #expect(StepProfile.jitter(of: [2, 2, 2]) == 0)
    let drifting = (0..<101).map { 1 + 0.01 * Double($0) }
    #expect(abs(StepProfile.jitter(of: drifting) - 0.01 / 2.0.squareRoot() / 1.5) < 1e-12)
    var stream = RandomStream(seed: 1, purpose: "noise")
    let noisy = (0..<4000).map { _ in 1 + 0.05 * stream.normal() }
    #expect(abs(StepProfile.jitter(of: noisy) - 0.05) < 0.002)
  }

  @Test func `the same seed gives the same bits, another one others`() {
    var jittery = profile
    jittery.jitter = 0.05
    let first = run(jittery, ranks: 64, sum: 0.1)
    #expect(run(jittery, ranks: 64, sum: 0.1) == first)
    #expect(run(jittery, ranks: 64, sum: 0.1, seed: 2) != first)
  }

  @Test func `more ranks wait longer for the slowest of them`() {
    var jittery = profile
    jittery.jitter = 0.05
    let waits = [1, 8, 64, 512].map {
      run(jittery, ranks: $0, sum: 0, steps: 20).waitingForSlowest
    }
    #expect(waits == waits.sorted() && waits[0] == 0)
  }

  // MARK: - Buckets

  @Test func `buckets go from the end of the block, released by their first gradient`() {
    let profile = StepProfile(
      backward: 3,
      final: [
        .init(seconds: 1, gradients: 100), .init(seconds: 2, gradients: mebifloats + 50),
        .init(seconds: 3, gradients: 2 * mebifloats + 100),
      ])
    let buckets = profile.buckets(ofMiB: 4)
    // The reducer's bounds start at 0, so that the bucket at the end is the short one.
    #expect(buckets.map(\.bytes) == [400, 4 << 20, 4 << 20])
    #expect(buckets.map(\.released) == [1, 3, 3])
  }
}

@Suite struct ScalingForecastTests {
  private let yaml = """
    seed: 3
    steps: 2
    ranks: [1, 8, 64]
    ranksPerNode: 2
    compressions: [none, bf16]
    networks:
      - {name: fast, speed: "100Gbps,2us"}
      - {name: slow, speed: 1Gbps}
    patches:
      - {patchSize: [64, 64, 64], forward: 1, backward: 2, update: 0.25, jitter: 0.01,
         final: [[1, 1000000], [2, 100000000]]}
    """

  @Test func `slower networks, more ranks and more bytes cost efficiency`() throws {
    let forecast = try ScalingForecast(ScalingInput.parse(yaml))
    #expect(forecast.curves.count == 4)
    for curve in forecast.curves {
      let efficiencies = curve.points.map(\.efficiency)
      #expect(efficiencies == efficiencies.sorted(by: >))
      #expect(abs(efficiencies[0] - 1) < 0.03)
    }
    let last = forecast.curves.compactMap { $0.points.last?.efficiency }
    #expect(last[0] > last[2] && last[3] > last[2])
  }

  @Test func `a faster processor leaves less time to hide sums in`() throws {
    let (as1, as4) = (
      try ScalingForecast(ScalingInput.parse(yaml)),
      try ScalingForecast(ScalingInput.parse(yaml, overrides: ["computeSpeed=4"]))
    )
    let slow = [as1, as4].map { $0.curves[2].points[2] }
    #expect(slow[1].efficiency < slow[0].efficiency)
    #expect(slow[1].outcome.step < slow[0].outcome.step)
  }

  @Test func `jitter of the input stands in place of that of the patches`() throws {
    let forecast = try ScalingForecast(ScalingInput.parse(yaml, overrides: ["jitter=0"]))
    for curve in forecast.curves {
      #expect(curve.points[0].efficiency == 1)
      #expect(curve.points.allSatisfy { $0.outcome.waitingForSlowest == 0 })
    }
  }

  @Test func `table, JSON and drawing hold every curve and point`() throws {
    let forecast = try ScalingForecast(ScalingInput.parse(yaml))
    let lines = forecast.table.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines[0].hasPrefix("patch 64 x 64 x 64: efficiency in %, simulated"))
    #expect(lines[5].contains("slow bf16"))
    #expect(forecast.json["points"]?.array?.count == 12)
    let reader = try MarkupReader(forecast.svg)
    #expect(reader.all("path", class: "line").count == 4)
    #expect(reader.texts.contains("patch 64 x 64 x 64") && reader.texts.contains("ranks"))
    for tick in ["1", "8", "64", "0", "50", "100"] { #expect(reader.texts.contains(tick)) }
  }

  @Test func `a network is fitted to lines of the benchmark`() throws {
    let folder = try TemporaryFolder()
    func line(_ bytes: Int, _ seconds: Double) -> String {
      #"{"bytes": \#(bytes), "bucket_bytes": 4194304, "ranks": 2, "compression": "none", "#
        + #""seconds": \#(seconds), "gb_per_s": 1}"#
    }
    let lines = [line(1 << 22, 0.101), line(1 << 24, 0.404), "not a line"]
    try folder.write(Array(lines.joined(separator: "\n").utf8), to: "bench.jsonl")
    let measured = yaml.replacingOccurrences(of: "speed: 1Gbps", with: "measured: bench.jsonl")
    let input = try ScalingInput.parse(measured, folder: folder.path)
    let sums = try ScalingForecast(input).curves[2].points[1].sums
    // 4 MiB between two hosts took 0.1 s for 4 MiB; 8 ranks, two a host, send 2 x 2 x 6/8 times 4 MiB.
    let buckets = 96.0
    #expect(abs(sums / (buckets * 0.1 * 3) - 1) < 0.1)
    try folder.write(Array("{}".utf8), to: "bench.jsonl")
    #expect(throws: TrainingError.self) { try ScalingForecast(input) }
  }

  // MARK: - Errors

  private func message(_ old: String, _ new: String) -> String {
    do {
      _ = try ScalingInput.parse(yaml.replacingOccurrences(of: old, with: new))
      return ""
    } catch {
      #expect(error.exitCode == .configuration)
      return error.description
    }
  }

  @Test(arguments: [
    ("ranksPerNode: 2", "ranksPerNodes: 2", "line 4: unknown key 'ranksPerNodes'; did you mean"),
    ("[1, 8, 64]", "[1, 0]", "line 3: ranks[1]: expected a whole number of at least 1"),
    ("[1, 8, 64]", "[]", "line 3: ranks: expected a list of ranks"),
    ("none, bf16", "none, fp8", "compressions[1]: unknown value 'fp8'; did you mean 'bf16'?"),
    (
      "speed: 1Gbps", "speed: fast",
      "networks[1].speed: expected a speed and perhaps a latency, such as 25Gbps,20us, found 'fast'"
    ),
    (", speed: 1Gbps", "", "networks[1]: expected a network with a speed or a file measured"),
    ("forward: 1, ", "", "patches[0]: the key 'forward' is missing"),
    ("[2, 100000000]", "[0.5, 100000000]", "patches[0].final: expected pairs of seconds and"),
    ("[2, 100000000]", "[2]", "patches[0].final[1]: expected [seconds, gradients]"),
    ("patches:", "steps: 4\npatches:", "duplicate key 'steps'"),
  ])
  func `what is wrong with an input is said with its place`(
    _ old: String, _ new: String, _ expected: String
  ) {
    let message = message(old, new)
    #expect(message.contains("scaling.yaml, line "))
    #expect(message.contains(expected), "\(message)")
  }

  @Test func `a section left out is named`() {
    #expect(throws: TrainingError.configuration("a, line 1: the key 'networks' is missing")) {
      try ScalingInput.parse("seed: 1", file: "a")
    }
  }

  @Test func `a profile is written as it is read`() throws {
    let input = try ScalingInput.parse(yaml)
    let again = yaml.replacingOccurrences(
      of: String(yaml[(yaml.range(of: "  - {patchSize")?.lowerBound ?? yaml.endIndex)...]),
      with: "  - " + input.patches[0].json.text)
    #expect(try ScalingInput.parse(again) == input)
  }
}
