/// Charts with their titles, two beside each other, as a drawing of its own.
struct ChartSheet {
  private let title: String
  private let note: String
  private let charts: [Chart]
  private static let gap = 24.0
  private static let top = 56.0
  private static let caption = 22.0

  init(_ title: String, note: String, _ charts: [Chart]) {
    (self.title, self.note, self.charts) = (title, note, charts)
  }

  /// The file's text.
  var svg: String {
    let cells = charts.enumerated().map { index, chart in
      let x = Self.gap + Double(index % 2) * (Chart.width + Self.gap)
      let y = Self.top + Double(index / 2) * (Chart.height + Self.caption + Self.gap)
      return Self.text(chart.title, class: "caption", x, y + 12)
        + chart.svg(x: x, y: y + Self.caption)
    }
    let width = 2 * Chart.width + 3 * Self.gap
    let rows = Double((charts.count + 1) / 2)
    let height = Self.top + rows * (Chart.height + Self.caption + Self.gap)
    let head =
      Markup.element("style", [:], Style.drawing)
      + Markup.element("rect", ["class": "paper", "width": "100%", "height": "100%"])
      + Self.text(title, class: "caption headline", Self.gap, 26)
      + Self.text(note, class: "caption note", Self.gap, 44)
    return Markup.element(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": Markup.length(width),
        "height": Markup.length(height),
        "viewBox": "0 0 \(Markup.length(width)) \(Markup.length(height))",
      ], head + cells.joined(separator: "\n")) + "\n"
  }

  private static func text(_ text: String, class kind: String, _ x: Double, _ y: Double) -> String {
    Markup.element(
      "text", ["class": kind, "x": Markup.length(x), "y": Markup.length(y)], Markup.escaped(text))
  }
}
