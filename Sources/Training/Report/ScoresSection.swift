import Imaging

/// The validation scores: how they spread, and a table of one row a subject, the worst first, and the
/// means.
struct ScoresSection {
  let scores: ValidationScores
  /// The rows of a table that is seen whole; a longer one scrolls in place.
  private static let manyRows = 24

  var html: String {
    let table = Markup.element(
      "table", [:],
      Markup.element("thead", [:], head) + Markup.element("tbody", [:], rows)
        + Markup.element("tfoot", [:], foot))
    let isLong = scores.scores.subjects.count > Self.manyRows
    return caption + strip
      + Markup.element("div", ["class": isLong ? "scroll long" : "scroll"], table) + failures
      + Markup.text("p", class: "muted", scores.scores.ruleText)
  }

  private var caption: String {
    let count = scores.scores.subjects.count
    let subjects = count == 1 ? "1 subject" : "\(count) subjects, the worst mean Dice first"
    return Markup.text(
      "p", class: "muted",
      "\(subjects): the last validation's label maps against their references. HD95 in mm.")
  }

  private var strip: String {
    guard scores.scores.subjects.count >= ScoresStrip.fewestSubjects else { return "" }
    let title = Markup.text("h3", "Dice of each subject, the line at the median")
    return Markup.element("figure", ["class": "strip"], title + ScoresStrip(scores).svg)
  }

  private var head: String {
    let groups = ["Mean of classes"] + scores.scores.classes.map(\.name)
    let first = Markup.element("th", ["rowspan": "2", "scope": "col"], "Subject")
    let names = groups.map {
      Markup.element(
        "th", ["class": "group", "colspan": "2", "scope": "colgroup"], Markup.escaped($0))
    }
    let measures = groups.flatMap { _ in ["Dice", "HD95"] }.map {
      Markup.element("th", ["scope": "col"], $0)
    }
    return Self.row([first] + names) + Self.row(measures)
  }

  private var rows: String {
    scores.ranked.map { subject in
      Self.row([Self.name(subject.identifier)] + Self.cells([subject.mean] + subject.scores))
    }.joined(separator: "\n")
  }

  private var foot: String {
    let means = [scores.scores.foreground] + scores.scores.classMeans
    return Self.row([Self.name("Mean of subjects")] + Self.cells(means))
  }

  private static func name(_ text: String) -> String {
    Markup.element("th", ["scope": "row"], Markup.escaped(text))
  }

  private static func cells(_ scores: [Score]) -> [String] {
    scores.flatMap { [fixed($0.dice, digits: 4), fixed($0.hd95, digits: 2)] }.map {
      Markup.element("td", [:], $0)
    }
  }

  private static func row(_ cells: [String]) -> String {
    Markup.element("tr", [:], cells.joined())
  }

  /// A score as tables show it; a dash where it is undefined.
  static func fixed(_ value: Double?, digits: Int) -> String {
    value.map { Progress.rounded($0, digits) } ?? "–"
  }

  private var failures: String {
    guard !scores.failures.isEmpty else { return "" }
    let items = scores.failures.map { Markup.text("li", $0) }.joined()
    return Markup.text("p", "Not scored:") + Markup.element("ul", ["class": "muted"], items)
  }
}
