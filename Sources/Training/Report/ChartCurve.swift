/// One quantity over the steps of a run.
package struct ChartCurve {
  /// What color it has: that of the text, one that steps back, or one of the palette's.
  package enum Tone: Equatable {
    case strong, quiet
    case color(Int)

    /// The class of its elements, for the style sheet.
    var style: String {
      switch self {
      case .strong: "strong"
      case .quiet: "quiet"
      case .color(let index): "tone\(index % Palette.tones.count)"
      }
    }
  }

  package typealias Point = (x: Double, y: Double)

  package let name: String
  let tone: Tone
  /// The last value as the label shows it; empty for none, as where there is no value.
  package let lastValue: String
  /// Runs of points without a gap, x ascending.
  package let runs: [[Point]]
  /// For each bucket of a curve that was thinned, the lowest and highest value in it.
  package let band: [(x: Double, low: Double, high: Double)]

  /// Above this many points a curve shows the means of so many buckets, and their ranges.
  package static let buckets = 120

  /// A curve through `points`, x ascending; one whose value is nil or not finite is a gap.
  ///
  /// - Parameter digits: those of the label's number after the point; nil for no number.
  package init(
    _ name: String, tone: Tone, points: [(x: Double, y: Double?)], digits: Int? = nil
  ) {
    self.name = name
    self.tone = tone
    let values = points.map { (x: $0.x, y: $0.y.flatMap { $0.isFinite ? $0 : nil }) }
    let last = values.last { $0.y != nil }?.y
    lastValue = digits.flatMap { digits in last.map { Progress.rounded($0, digits) } } ?? ""
    guard values.count > Self.buckets else {
      runs = values.split { $0.y == nil }.map { $0.map { ($0.x, $0.y ?? 0) } }
      band = []
      return
    }
    let buckets = (0..<Self.buckets).map { bucket in
      let bounds = [bucket, bucket + 1].map { $0 * values.count / Self.buckets }
      return values[bounds[0]..<bounds[1]]
    }
    let known = buckets.map { bucket in bucket.compactMap(\.y) }
    let centers = buckets.map { $0.map(\.x).reduce(0, +) / Double($0.count) }
    runs = zip(centers, known).split { $0.1.isEmpty }.map { run in
      run.map { ($0.0, $0.1.reduce(0, +) / Double($0.1.count)) }
    }
    band = zip(centers, known).compactMap { center, values in
      guard let low = values.min(), let high = values.max() else { return nil }
      return (center, low, high)
    }
  }

  /// Where the curve ends; nil for one without values.
  var end: Point? { runs.last?.last }

  var values: [Double] { runs.flatMap { $0.map(\.y) } }

  /// Its elements: the range, the line, and a dot where a value stands alone.
  func svg(_ x: ChartScale, _ y: ChartScale) -> String {
    let lines = runs.filter { $0.count > 1 }.map { run in
      "M" + run.map { Self.pair(x($0.x), y($0.y)) }.joined(separator: "L")
    }.joined()
    let dots = runs.filter { $0.count == 1 }.compactMap(\.first).map {
      Markup.element(
        "circle",
        [
          "class": "dot \(tone.style)", "cx": Markup.length(x($0.x)),
          "cy": Markup.length(y($0.y)), "r": "2.5",
        ])
    }.joined()
    let line =
      lines.isEmpty ? "" : Markup.element("path", ["class": "line \(tone.style)", "d": lines])
    return range(x, y) + line + dots
  }

  private func range(_ x: ChartScale, _ y: ChartScale) -> String {
    guard !band.isEmpty else { return "" }
    let there = band.map { Self.pair(x($0.x), y($0.high)) }
    let back = band.reversed().map { Self.pair(x($0.x), y($0.low)) }
    let path = "M" + (there + back).joined(separator: "L") + "Z"
    return Markup.element("path", ["class": "band \(tone.style)", "d": path])
  }

  private static func pair(_ x: Double, _ y: Double) -> String {
    Markup.length(x) + " " + Markup.length(y)
  }
}
