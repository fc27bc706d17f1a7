import Foundation
import FoundationXML
import Testing
import Training

/// What a drawing's elements are, by a parser that refuses what is not well-formed.
final class MarkupReader: NSObject, XMLParserDelegate {
  private(set) var elements: [(name: String, attributes: [String: String])] = []
  private var contents: [String] = []
  /// What the elements hold themselves.
  var texts: [String] { contents.map { $0.trimmingCharacters(in: .newlines) } }
  private var error: String?

  /// - Throws: `Malformed` with the parser's words.
  init(_ markup: String) throws {
    super.init()
    let parser = XMLParser(data: Data(markup.utf8))
    parser.delegate = self
    guard parser.parse() else {
      throw Malformed(
        reason: "line \(parser.lineNumber): \(String(describing: parser.parserError))")
    }
  }

  struct Malformed: Error { let reason: String }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    elements.append((name, attributes))
    contents.append("")
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if !contents.isEmpty { contents[contents.count - 1] += text }
  }

  /// The attributes of the elements of a name and class.
  func all(_ name: String, class kind: String? = nil) -> [[String: String]] {
    elements.filter { element in
      let classes = element.attributes["class"]?.split(separator: " ").map(String.init) ?? []
      return element.name == name && kind.map(classes.contains) ?? true
    }.map(\.attributes)
  }
}

@Suite struct ChartTests {
  private func points(_ values: [Double?]) -> [(x: Double, y: Double?)] {
    values.enumerated().map { (Double($0 + 1), $1) }
  }

  @Test func `ticks are round and as precise as their distance`() {
    let scale = ChartScale(0...0.87, to: (100, 0), steps: 4)
    #expect(scale.ticks.map(scale.text) == ["0", "0.25", "0.50", "0.75", "1.00"])
    #expect(scale(0) == 100 && scale(1) == 0 && scale(0.5) == 50)
    #expect(scale(7) == 0, "values beyond the end lie on it")
    let rates = ChartScale(0...3e-4, to: (100, 0), steps: 4)
    #expect(rates.ticks.map(rates.text) == ["0", "0.0001", "0.0002", "0.0003"])
    let steps = ChartScale(1...12_400, to: (0, 100), steps: 5, widens: false, isWhole: true)
    #expect(
      steps.ticks.map(steps.text) == [
        "2\u{202F}500", "5\u{202F}000", "7\u{202F}500", "10\u{202F}000",
      ])
    let few = ChartScale(1...3, to: (0, 100), steps: 5, widens: false, isWhole: true)
    #expect(few.ticks == [1, 2, 3])
    #expect(ChartScale(2...2, to: (0, 1), steps: 4).ticks.count > 1)
  }

  @Test func `numbers of ranks are powers of two at equal distances`() {
    let scale = ChartScale(doubling: 8...2048, to: (0, 80))
    #expect(
      scale.ticks.map(scale.text) == ["8", "16", "32", "64", "128", "256", "512", "1024", "2048"])
    #expect(scale.ticks.map { scale($0).rounded() } == (0...8).map { Double($0) * 10 })
    #expect(ChartScale(doubling: 4...4, to: (0, 1))(4) == 0)
  }

  @Test func `labels are moved apart and stay inside`() {
    #expect(Chart.spread([10, 100], within: 0...200) == [10, 100])
    let crowded = Chart.spread([190, 191, 192], within: 0...200)
    #expect(crowded.last == 200)
    #expect(zip(crowded, crowded.dropFirst()).allSatisfy { $1 - $0 >= 14 })
    let many = Chart.spread([Double](repeating: 100, count: 30), within: 0...200)
    #expect(many.allSatisfy { (-0.01...200.01).contains($0) })
  }

  @Test func `a value that is missing is a gap and a lone one a dot`() throws {
    let curve = ChartCurve("a", tone: .strong, points: points([1, 2, nil, .nan, 3]), digits: 1)
    #expect(curve.runs.map(\.count) == [2, 1])
    #expect(curve.lastValue == "3.0")
    let reader = try MarkupReader(Chart("Loss", [curve], steps: 1...5).svg())
    #expect(reader.all("path", class: "line").count == 1)
    #expect(reader.all("circle").count == 1)
    #expect(
      Chart("Loss", [ChartCurve("a", tone: .quiet, points: points([nil]))], steps: 1...1).isEmpty)
  }

  @Test func `a long curve is means of buckets in a band of their ranges`() throws {
    let values = (0..<1200).map { Double($0 % 10) }
    let curve = ChartCurve("a", tone: .color(0), points: points(values))
    #expect(curve.runs.count == 1 && curve.runs[0].count == ChartCurve.buckets)
    #expect(curve.runs[0].allSatisfy { $0.y == 4.5 })
    #expect(curve.band.allSatisfy { $0.low == 0 && $0.high == 9 })
    let reader = try MarkupReader(Chart("Loss", [curve], steps: 1...1200).svg())
    #expect(reader.all("path", class: "band").count == 1)
  }

  @Test func `points lie where the axes say`() throws {
    let curve = ChartCurve("dice", tone: .strong, points: points([0, 0.5, 1]), digits: 2)
    let reader = try MarkupReader(Chart("Dice", [curve], steps: 1...3).svg())
    let path = try #require(reader.all("path", class: "line").first?["d"])
    let numbers = path.split { "ML ".contains($0) }.compactMap { Double($0) }
    let grid = reader.all("line", class: "grid").compactMap { $0["y1"].flatMap(Double.init) }
    let (bottom, top) = (try #require(grid.first), try #require(grid.last))
    #expect(numbers[1] == bottom && numbers[5] == top)
    #expect(abs(numbers[3] - (bottom + top) / 2) < 0.011)
    #expect(reader.texts.contains("dice 1.00"))
  }

  @Test func `names of the user's cannot break a drawing`() throws {
    let curve = ChartCurve("<b>&\"\u{7}", tone: .color(9), points: points([1, 2]), digits: 0)
    let reader = try MarkupReader(Chart("A < B & \"C\"", [curve], steps: 1...2).svg())
    #expect(reader.texts.contains("<b>&\" 2"))
    #expect(reader.all("svg").first?["aria-label"] == "A < B & \"C\"; last: <b>&\" 2")
  }
}
