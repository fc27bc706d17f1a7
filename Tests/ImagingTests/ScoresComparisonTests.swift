import Imaging
import TestSupport
import Testing

@Suite struct PairedTestTests {
  private struct Case: Decodable {
    let name: String
    let first: [Double]
    let second: [Double]
    let t: Double
    let t_p: Double
    let wilcoxon: Double
    let wilcoxon_p: Double
  }

  @Test func `both tests equal SciPy's`() throws {
    let cases = try fixture([Case].self, "metrics/paired")
    #expect(cases.count == 16)
    for item in cases {
      let test = PairedTest(item.first, item.second)
      let (student, wilcoxon) = (try #require(test.student), try #require(test.wilcoxon))
      #expect(test.count == item.first.count)
      #expect(isNear(student.statistic, item.t, 1e-9), "\(item.name)")
      #expect(isNear(student.p, item.t_p, 1e-9), "\(item.name): \(student.p), \(item.t_p)")
      #expect(wilcoxon.statistic == item.wilcoxon, "\(item.name)")
      #expect(isNear(wilcoxon.p, item.wilcoxon_p, 1e-9), "\(item.name): \(wilcoxon)")
    }
  }

  @Test func `few pairs are tested exactly, many by the normal distribution`() {
    func method(_ count: Int, step: Double = 1) -> PairedTest.Method? {
      let second = (0..<count).map { 1 + step * Double($0) }
      return PairedTest([Double](repeating: 0, count: count), second).wilcoxon?.method
    }
    #expect(method(50) == .exact && method(51) == .normal)
    #expect(method(13, step: 0) == .exact && method(14, step: 0) == .normal)
  }

  @Test func `equal lists have no test, and neither has a single pair a t-test`() {
    let equal = PairedTest([1, 2, 3], [1, 2, 3])
    #expect(equal.student == nil && equal.wilcoxon == nil && equal.difference == 0)
    let single = PairedTest([1], [2])
    #expect(single.student == nil && single.deviation == nil && single.wilcoxon?.p == 1)
  }

  @Test func `a constant difference is certain`() {
    #expect(PairedTest([1, 2, 3], [2, 3, 4]).student?.p == 0)
  }

  private func isNear(_ a: Double, _ b: Double, _ relative: Double) -> Bool {
    abs(a - b) <= relative * max(abs(b), 1e-300)
  }
}

@Suite struct ScoresComparisonTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(_ name: String, dice: [String: [Double]]) throws -> ScoresFile {
    var scores = Scores(
      classes: ["1", "2"].map { ScoredClass(key: $0, name: "class \($0)", values: []) })
    for (subject, values) in dice { scores.add(subject, values.map { Score(dice: $0) }) }
    try folder.write(Array(scores.json()), to: name)
    return try ScoresFile(folder.file(name))
  }

  @Test func `subjects are paired by name, and the mean is one value a subject`() throws {
    let first = try file("a.json", dice: ["x": [0.5, 0.25], "y": [0.5, 0.75], "alone": [1, 1]])
    let second = try file("b.json", dice: ["y": [0.75, 0.75], "x": [1, 0.75]])
    let comparison = try ScoresComparison(first, second)
    #expect(comparison.subjects == ["x", "y"])
    #expect(comparison.rows.map(\.key) == ["1", "2", "foreground"])
    #expect(comparison.rows[0].test == PairedTest([0.5, 0.5], [1, 0.75]))
    #expect(comparison.rows[2].test == PairedTest([0.375, 0.625], [0.875, 0.75]))
    #expect(comparison.notes.count == 1 && comparison.notes[0].contains("alone"))
    let lines = comparison.table.split(separator: "\n")
    #expect(lines[1] == "Dice" && lines[2].hasPrefix("  1 class 1"))
    #expect(lines[2].contains("2    0.5000    0.8750   +0.3750"), "\(lines[2])")
    #expect(comparison.csv.contains("dice,foreground,,2,0.5,0.8125,0.3125,"))
  }

  @Test func `files without a subject in common are refused by name`() throws {
    let first = try file("a.json", dice: ["x": [1, 1]])
    let second = try file("b.json", dice: ["y": [1, 1]])
    let text = message { _ = try ScoresComparison(first, second) }
    #expect(text.hasPrefix("badData") && text.contains("a.json") && text.contains("no subject"))
  }

  @Test func `what is no file of scores is refused with its key`() throws {
    try folder.write(Array(#"{"subjects": {"x": {"1": {"dice": "good"}}}}"#.utf8), to: "bad.json")
    let text = message { _ = try ScoresFile(folder.file("bad.json")) }
    #expect(text.contains("bad.json") && text.contains("subjects.x.1.dice"), "\(text)")
    try folder.write(Array("{}".utf8), to: "empty.json")
    #expect(message { _ = try ScoresFile(folder.file("empty.json")) }.contains("\"subjects\""))
    #expect(message { _ = try ScoresFile("nowhere.json") }.hasPrefix("missing"))
  }
}
