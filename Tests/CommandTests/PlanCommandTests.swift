import Foundation
import TestSupport
import Testing

@Suite struct PlanCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  private func plan(_ arguments: [String] = []) throws -> Command.Result {
    try Command.run(
      [Command.lkdist, "plan", data.configuration, "--timings", data.folder.file("timings")]
        + arguments)
  }

  private func object(_ result: Command.Result) throws -> [String: Any] {
    #expect(result.code == 0, "\(result.errors)")
    let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return try #require(json as? [String: Any])
  }

  @Test func `a plan tells parameters, memory and time, and keeps its timings`() throws {
    let first = try plan()
    #expect(first.code == 0, "\(first.errors)")
    for words in ["network", "kernel coverage", "memory of a rank", "fits into", "the run:"] {
      #expect(first.output.contains(words), "\(words)")
    }
    #expect(first.errors.contains("timing"))
    let second = try plan()
    #expect(second.code == 0 && second.errors.isEmpty, "\(second.errors)")
    // Memory may differ by what a process has before it plans.
    func times(_ result: Command.Result) -> String? {
      result.output.components(separatedBy: "time of a step").last
    }
    #expect(times(second) == times(first))
  }

  @Test func `more ranks take fewer steps and wait for a slow network`() throws {
    let patches = ["--set", "training.stepsPerEpoch=null"]
    func values(_ network: String) throws -> (steps: Int, exposed: Double) {
      let json = try object(
        plan(["--json", "--ranks", "2", "--ranks-per-node", "1", "--network", network] + patches))
      let split = try #require((json["splits"] as? [[String: Any]])?.first)
      return (
        try #require(json["steps_per_epoch"] as? Int),
        try #require(split["allreduce_exposed_s"] as? Double)
      )
    }
    let one = try object(plan(["--json"] + patches))
    let (fast, slow) = (try values("100Gbps,2us"), try values("1Mbps"))
    #expect(one["steps_per_epoch"] as? Int == 2)
    #expect(fast.steps == 1)
    #expect(slow.exposed > 100 * fast.exposed)
  }

  @Test func `a patch that does not fit is told before it runs`() throws {
    let json = try object(plan(["--json", "--memory", "1MiB"]))
    #expect(json["fits"] as? Bool == false)
    #expect(json["largest_patch"] is NSNull)
    let text = try plan(["--memory", "1MiB"])
    #expect(text.output.contains("DOES NOT FIT"))
  }

  @Test func `the peak is what a run takes`() throws {
    let patch = ["--set", "data.patchSize=[64,64,64]", "--set", "model.channels=32"]
    let result = try plan(["--json"] + patch)
    let expected = try #require(object(result)["root_peak_bytes"] as? Int)
    let run = try Command.run(
      [
        Command.lkdist, "train", data.configuration, "--output", data.folder.file("run"),
        "--max-steps", "2",
      ] + patch)
    let match = try #require(run.errors.firstMatch(of: /took (\d+) MiB/))
    let measured = try #require(Double(match.1))
    #expect(abs(Double(expected) / 1_048_576 / measured - 1) < 0.03, "\(expected), \(measured)")
  }

  @Test func `a dry run prints the plan and looks at every path`() throws {
    let run = try Command.lkdist("train", data.configuration, "--dry-run")
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.contains("memory of a rank"))
    let output = try Command.lkdist(
      "train", data.configuration, "--dry-run", "--output", data.configuration + "/run")
    #expect(output.code == 74)
    #expect(output.errors.contains("cannot be written"))
    try FileManager.default.removeItem(atPath: data.label(0))
    let missing = try Command.lkdist("train", data.configuration, "--dry-run")
    #expect(missing.code == 66)
    #expect(missing.errors.contains("case_0.nii.gz"))
  }

  @Test(arguments: [
    ["--ranks", "0"], ["--network", "fast"], ["--ranks", "2", "--ranks-per-node", "3"],
  ])
  func `what is no plan is refused`(arguments: [String]) throws {
    let result = try Command.run([Command.lkdist, "plan", data.configuration] + arguments)
    #expect(result.code == 64)
  }
}
