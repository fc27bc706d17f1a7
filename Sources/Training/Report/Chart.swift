/// Curves over the steps of a run, or over numbers of ranks, as a drawing; each is named at its end, so
/// that there is no key.
package struct Chart {
  /// What it shows, with the unit.
  package let title: String
  let curves: [ChartCurve]
  private let axis: Axis
  /// The first and last step or number of ranks of the axis.
  private let range: ClosedRange<Double>
  /// Whether the axis of values begins at 0.
  let startsAtZero: Bool
  /// Whether a few values far above the others may leave the drawing at its top.
  let cutsPeaks: Bool

  package static let width = 480.0
  package static let height = 230.0
  private static let top = 10.0
  private static let bottom = 34.0
  private static let left = 46.0
  /// Pixels of a letter of a label, about.
  private static let letter = 6.1
  private static let longestName = 18

  /// What the curves run over; ranks are on a logarithmic axis.
  private enum Axis: String { case step, ranks }

  package init(
    _ title: String, _ curves: [ChartCurve], steps: ClosedRange<Double>, startsAtZero: Bool = true,
    cutsPeaks: Bool = false
  ) {
    (self.title, self.curves) = (title, curves)
    (axis, range) = (.step, steps)
    (self.startsAtZero, self.cutsPeaks) = (startsAtZero, cutsPeaks)
  }

  /// Percentages over numbers of ranks, on an axis from 0 to 100.
  package init(_ title: String, percentages curves: [ChartCurve], ranks: ClosedRange<Double>) {
    (self.title, self.curves) = (title, curves)
    (axis, range) = (.ranks, ranks)
    (startsAtZero, cutsPeaks) = (true, false)
  }

  /// Whether there is a value to draw.
  package var isEmpty: Bool { curves.allSatisfy { $0.runs.isEmpty } }

  /// The drawing as an `svg` element at a place of a larger one.
  package func svg(x: Double = 0, y: Double = 0) -> String {
    let (across, up) = scales
    let content =
      grid(across, up) + curves.reversed().map { $0.svg(across, up) }.joined()
      + labels(across, up)
    return Markup.element(
      "svg",
      [
        "class": "chart", "x": Markup.length(x), "y": Markup.length(y),
        "width": Markup.length(Self.width), "height": Markup.length(Self.height),
        "viewBox": "0 0 \(Markup.length(Self.width)) \(Markup.length(Self.height))",
        "role": "img", "aria-label": description,
      ], content)
  }

  /// What the drawing shows in words, for those who do not see it.
  private var description: String {
    let ends = curves.filter { !$0.lastValue.isEmpty }.map { "\($0.name) \($0.lastValue)" }
    return ends.isEmpty ? title : "\(title); last: " + ends.joined(separator: ", ")
  }

  // MARK: - Axes

  private var scales: (x: ChartScale, y: ChartScale) {
    let right = Self.width - labelWidth
    let x =
      switch axis {
      case .step:
        ChartScale(range, to: (Self.left, right), steps: 5, widens: false, isWhole: true)
      case .ranks: ChartScale(doubling: range, to: (Self.left, right))
      }
    let y = ChartScale(values, to: (Self.height - Self.bottom, Self.top), steps: 4)
    return (x, y)
  }

  private var values: ClosedRange<Double> {
    if axis == .ranks { return 0...100 }
    let sorted = curves.flatMap(\.values).sorted()
    guard let first = sorted.first, let last = sorted.last else { return 0...1 }
    let high = cutsPeaks ? sorted[(sorted.count - 1) * 98 / 100] * 1.2 : last
    return min(startsAtZero ? 0 : first, first)...max(high, first)
  }

  private func grid(_ x: ChartScale, _ y: ChartScale) -> String {
    let rows = y.ticks.map { tick in
      Self.line("grid", x.pixels.0, y(tick), x.pixels.1, y(tick))
        + Self.text(y.text(tick), class: "tick end", x.pixels.0 - 8, y(tick) + 3.5)
    }
    let columns = x.ticks.map { tick in
      Self.line("mark", x(tick), y.pixels.0, x(tick), y.pixels.0 + 4)
        + Self.text(x.text(tick), class: "tick middle", x(tick), y.pixels.0 + 16)
    }
    let name = Self.text(axis.rawValue, class: "tick end", x.pixels.1, y.pixels.0 + 30)
    return rows.joined() + columns.joined() + name
  }

  static func line(
    _ kind: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double
  ) -> String {
    Markup.element(
      "line",
      [
        "class": kind, "x1": Markup.length(x1), "y1": Markup.length(y1),
        "x2": Markup.length(x2), "y2": Markup.length(y2),
      ])
  }

  static func text(_ text: String, class kind: String, _ x: Double, _ y: Double) -> String {
    Markup.element(
      "text", ["class": kind, "x": Markup.length(x), "y": Markup.length(y)], Markup.escaped(text))
  }

  // MARK: - Labels

  private static func label(of curve: ChartCurve) -> String {
    let isLong = curve.name.count > longestName
    let name = isLong ? curve.name.prefix(longestName - 1) + "…" : curve.name[...]
    return curve.lastValue.isEmpty ? String(name) : "\(name) \(curve.lastValue)"
  }

  private var named: [ChartCurve] { curves.filter { $0.end != nil && !$0.name.isEmpty } }

  private var labelWidth: Double {
    let longest = named.map { Self.label(of: $0).count }.max() ?? 0
    return max(40, 18 + Self.letter * Double(longest))
  }

  private func labels(_ x: ChartScale, _ y: ChartScale) -> String {
    let ends = named.compactMap { curve in curve.end.map { (curve, y($0.y)) } }
      .sorted { $0.1 < $1.1 }
    let places = Self.spread(ends.map(\.1), within: Self.top...(Self.height - Self.bottom))
    return zip(ends, places).map { end, place in
      let (curve, own) = end
      let tone = curve.tone.style
      let leader =
        abs(own - place) > 3
        ? Self.line("leader \(tone)", x.pixels.1 + 2, own, x.pixels.1 + 9, place) : ""
      return leader
        + Self.text(
          Self.label(of: curve), class: "label \(tone)", x.pixels.1 + 11, place + 3.8)
    }.joined()
  }

  /// The places of labels that want to be at `wanted`, ascending, moved apart to be read.
  package static func spread(_ wanted: [Double], within range: ClosedRange<Double>) -> [Double] {
    let room = range.upperBound - range.lowerBound
    let gap = min(14, room / Double(max(1, wanted.count - 1)))
    var places: [Double] = []
    for place in wanted { places.append(max(place, (places.last ?? -.infinity) + gap)) }
    var limit = range.upperBound
    for index in places.indices.reversed() {
      places[index] = min(places[index], limit)
      limit = places[index] - gap
    }
    return places
  }
}
