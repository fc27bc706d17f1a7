import Imaging

/// The Dice of every subject as a dot, in a row for each class: how far they spread and who falls out.
struct ScoresStrip {
  /// Fewer subjects are seen as well in the table.
  static let fewestSubjects = 8

  private struct Row {
    let name: String
    let tone: ChartCurve.Tone
    /// The subjects and their Dice, ascending.
    let dots: [(subject: String, dice: Double)]
  }

  private let rows: [Row]
  private static let height = 30.0
  private static let longestName = 18

  /// A row for the mean of classes and one for each, where there are several.
  init(_ scores: ValidationScores) {
    func row(_ name: String, _ tone: ChartCurve.Tone, _ dice: (Score, [Score]) -> Double?) -> Row {
      let dots = scores.ranked.compactMap { subject in
        dice(subject.mean, subject.scores).map { (subject: subject.identifier, dice: $0) }
      }
      return Row(name: name, tone: tone, dots: dots.sorted { $0.dice < $1.dice })
    }
    let classes = scores.scores.classes
    let mean = row("mean", .strong) { mean, _ in mean.dice }
    rows =
      classes.count < 2
      ? [mean]
      : [mean]
        + classes.enumerated().map { index, kind in
          row(kind.name, .color(index)) { $1[index].dice }
        }
  }

  /// The drawing as an `svg` element.
  var svg: String {
    let bottom = Self.height * Double(rows.count) + 6
    let size = (Markup.length(Chart.width), Markup.length(bottom + 20))
    let ticks = scale.ticks.map { tick in
      Chart.line("grid", scale(tick), 0, scale(tick), bottom)
        + Chart.text(scale.text(tick), class: "tick middle", scale(tick), bottom + 14)
    }
    let drawn = rows.enumerated().map { index, row in
      self.drawn(row, at: Self.height * (Double(index) + 0.5) + 3)
    }
    return Markup.element(
      "svg",
      [
        "class": "chart", "width": size.0, "height": size.1, "viewBox": "0 0 \(size.0) \(size.1)",
        "role": "img", "aria-label": "Dice of each subject by class; the table holds the numbers",
      ], ticks.joined() + drawn.joined())
  }

  private var scale: ChartScale {
    let all = rows.flatMap { $0.dots.map(\.dice) }
    let longest = rows.map { Self.shown($0.name).count }.max() ?? 0
    return ChartScale(
      min(all.min() ?? 0, 0.95)...1, to: (18 + 6.1 * Double(longest), Chart.width - 14), steps: 5)
  }

  private static func shown(_ name: String) -> String {
    name.count > longestName ? name.prefix(longestName - 1) + "…" : name
  }

  private func drawn(_ row: Row, at y: Double) -> String {
    let tone = row.tone.style
    let name = Chart.text(
      Self.shown(row.name), class: "label end \(tone)", scale.pixels.0 - 12, y + 3.8)
    let dots = row.dots.enumerated().map { index, dot in
      // Neighbors in value lie at different heights.
      let shift = Double(index * 5 % 13 - 6) * 1.1
      return Markup.element(
        "circle",
        [
          "class": "dot spread \(tone)", "cx": Markup.length(scale(dot.dice)),
          "cy": Markup.length(y + shift), "r": "3",
        ], Markup.text("title", "\(dot.subject): \(Progress.rounded(dot.dice, 4))"))
    }
    guard let median = Self.median(row.dots.map(\.dice)) else { return name }
    let line = Chart.line("median", scale(median), y - 11, scale(median), y + 11)
    return name + dots.joined() + line
  }

  /// Of ascending values.
  private static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let middle = values.count / 2
    return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
  }
}
