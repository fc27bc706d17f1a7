import Foundation
import Imaging
import TestSupport
import Testing

/// `lkdist simulate`, as a user runs it.
@Suite struct SimulateCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The input of the documentation.
  private let documented = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../Sources/Training/Training.docc/Resources/scaling.yaml")
    .standardizedFileURL.path

  @Test func `the documentation's input gives the same table and drawing each time`() throws {
    let drawings = ["a.svg", "b.svg"].map(folder.file)
    let results = try drawings.map {
      try Command.lkdist("simulate", documented, "--set", "steps=2", "-o", $0)
    }
    #expect(results.allSatisfy { $0.code == 0 && $0.errors.isEmpty }, "\(results)")
    #expect(results[0].output == results[1].output)
    #expect(results[0].output.contains("patch 160 x 192 x 128: efficiency in %, simulated"))
    #expect(
      FileManager.default.contentsEqual(atPath: drawings[0], andPath: drawings[1]))
  }

  @Test func `a step that was measured can be simulated`() throws {
    let bench = try Command.lkdist(
      "bench", "step", "--patch", "16,16,16", "--inputs", "1", "--outputs", "2", "--scales", "3",
      "--channels", "16", "--steps", "3", "--simulation")
    #expect(bench.code == 0, "\(bench.errors)")
    let profile = try #require(bench.output.split(separator: "\n").last)
    let input = "networks: [{name: a, speed: 10Gbps}]\npatches:\n  - \(profile)\n"
    try folder.write(Array(input.utf8), to: "scaling.yaml")
    let result = try Command.lkdist(
      "simulate", folder.file("scaling.yaml"), "--set", "ranks=[1, 16]", "--json")
    #expect(result.code == 0, "\(result.errors)")
    let points = try #require(try JSON.parse(result.output)["points"]?.array)
    #expect(points.map { $0["ranks"]?.integer } == [1, 16])
    #expect(points[1]["allreduce_alone_s"]?.number ?? 0 > 0)
    #expect(points[0]["allreduce_alone_s"]?.number == 0)
  }

  @Test func `what cannot be read or written ends with its exit code`() throws {
    let missing = try Command.lkdist("simulate", "nowhere.yaml")
    #expect(missing.code == 66 && missing.errors.contains("no input at nowhere.yaml"))
    let wrong = try Command.lkdist("simulate", documented, "--set", "ranks=many")
    #expect(wrong.code == 78)
    #expect(wrong.errors.contains("--set ranks=many: ranks: expected a list of ranks"))
    let output = folder.file("no/chart.svg")
    let unwritten = try Command.lkdist("simulate", documented, "--set", "steps=1", "-o", output)
    #expect(unwritten.code == 74 && unwritten.errors.contains("cannot write the chart"))
  }
}
