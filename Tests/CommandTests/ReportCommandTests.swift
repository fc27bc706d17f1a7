import Foundation
import FoundationXML
import Imaging
import Tensors
import TestSupport
import Testing

/// Reports of runs.
@Suite(.serialized) struct ReportCommandTests {
  private let data: TinyDataset
  private var run: String { data.folder.file("run") }

  init() throws { data = try TinyDataset(subjects: 6) }

  private func train(_ more: String...) throws {
    let result = try Command.run(
      [Command.lkdist, "train", data.configuration, "--output", run, "--quiet"] + more)
    #expect(result.code == 0, "\(result.errors)")
  }

  /// The page, which must be well-formed and hold all it needs.
  private func report(_ more: String...) throws -> String {
    let result = try Command.run([Command.lkdist, "report", run] + more)
    #expect(result.code == 0, "\(result.errors)")
    let page = try String(contentsOfFile: run + "/report.html", encoding: .utf8)
    let parser = XMLParser(data: Data(page.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError)) \(parser.lineNumber)")
    for source in page.split(separator: "src=\"").dropFirst() {
      #expect(source.hasPrefix("data:image/png;base64,"))
    }
    #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("url("))
    return page
  }

  /// The texts of a page's cells.
  private func cells(_ page: String) -> [String] {
    page.split(separator: "<td>").dropFirst().map { String($0.prefix { $0 != "<" }) }
  }

  @Test func `the report of a finished run shows the scores that evaluate gives`() throws {
    try train("--set", "training.epochs=4")
    let page = try report("--subject", "case_3")
    #expect(page.contains("Finished: 4 epochs"))
    let metrics = data.folder.file("metrics.json")
    let evaluate = try Command.lkdist(
      "evaluate", run + "/validation", data.folder.file("labelsTr"), "--labels",
      data.folder.file("dataset.json"), "-o", metrics)
    #expect(evaluate.code == 0, "\(evaluate.errors)")
    let json = try JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: metrics))))
    guard case .object(let subjects)? = json["subjects"] else {
      Issue.record("no subjects in \(metrics)")
      return
    }
    #expect(subjects.count == 2)
    func shown(_ score: JSON?) throws -> [String] {
      [
        String(format: "%.4f", try #require(score?["dice"]?.number)),
        String(format: "%.2f", try #require(score?["hd95"]?.number)),
      ]
    }
    // Worst first; one class is its own mean.
    let rows = try subjects.sorted {
      ($0.value["1"]?["dice"]?.number ?? 0) < ($1.value["1"]?["dice"]?.number ?? 0)
    }.map { try shown($0.value["1"]) }
    let mean = try shown(json["mean"]?["1"])
    #expect(cells(page) == (rows + [mean]).flatMap { $0 + $0 })
    // Best, worst and the attention of one module.
    #expect(page.split(separator: "<img ").count == 4)
    #expect(page.contains("case_3, attention at scale 0"))
    for words in ["instruction", "Data set hash", "patchSize", "1 rank"] {
      #expect(page.lowercased().contains(words.lowercased()), "\(words)")
    }
    let drawing = XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: run + "/progress.svg")))
    #expect(drawing.parse())
  }

  @Test func `the report of an unfinished run says what is missing`() throws {
    try train("--max-steps", "2")
    var page = try report()
    #expect(page.contains("Not finished"))
    #expect(page.contains("There has been no validation yet"))
    #expect(page.contains("holds no label map"))
    #expect(page.contains("class=\"chart\""))
    // The data have moved away, and with them the attention's subject.
    try train("--set", "training.epochs=1")
    let (parts, away) = (["dataset.json", "imagesTr", "labelsTr"], try TemporaryFolder())
    func move(from: TemporaryFolder, to: TemporaryFolder) throws {
      for part in parts {
        try FileManager.default.moveItem(atPath: from.file(part), toPath: to.file(part))
      }
    }
    try move(from: data.folder, to: away)
    page = try report()
    #expect(page.contains("the data set cannot be read where the configuration has it"))
    #expect(page.contains("There is no attention map"))
    #expect(page.contains("box"), "the checkpoint knows the classes' names")
    try move(from: away, to: data.folder)
    try FileManager.default.removeItem(atPath: data.label(0))
    try FileManager.default.removeItem(atPath: run + "/manifest.json")
    try Data("name: [".utf8).write(to: URL(fileURLWithPath: run + "/checkpoints/best.safetensors"))
    page = try report()
    #expect(page.contains("The machine is not known"))
  }

  @Test func `what is no run ends with its exit code`() throws {
    let none = try Command.lkdist("report", data.folder.file("none"))
    #expect(none.code == 66 && none.errors.contains("there is no folder"))
    let other = try Command.lkdist("report", data.folder.file("imagesTr"))
    #expect(other.code == 65 && other.errors.contains("is not a run's folder"))
  }
}
