import Foundation

/// The way from values to pixels along one axis, and where its ticks are.
package struct ChartScale {
  package let lower: Double
  package let upper: Double
  /// Pixels of `lower` and `upper`.
  let pixels: (Double, Double)
  /// The distance of two ticks, or their ratio on a logarithmic scale.
  let step: Double
  private let isLogarithmic: Bool

  /// A scale of about `count` round steps.
  ///
  /// - Parameters:
  ///   - widens: whether the ends become ticks.
  ///   - isWhole: whether ticks between whole numbers are left out.
  package init(
    _ values: ClosedRange<Double>, to pixels: (Double, Double), steps count: Int,
    widens: Bool = true, isWhole: Bool = false
  ) {
    let span = values.upperBound - values.lowerBound
    let room = span > 0 && span.isFinite ? span : max(abs(values.lowerBound), 1)
    let round = Self.roundStep(room / Double(count))
    step = isWhole ? max(1, round.rounded()) : round
    self.pixels = pixels
    isLogarithmic = false
    guard widens else {
      (lower, upper) = (values.lowerBound, span > 0 ? values.upperBound : values.lowerBound + room)
      return
    }
    let first = (values.lowerBound / step + 1e-9).rounded(.down) * step
    lower = first
    upper = max((values.upperBound / step - 1e-9).rounded(.up) * step, first + step)
  }

  /// A logarithmic scale with a tick at each power of two; values are above 0.
  package init(doubling values: ClosedRange<Double>, to pixels: (Double, Double)) {
    lower = values.lowerBound
    upper = max(values.upperBound, 2 * lower)
    self.pixels = pixels
    (step, isLogarithmic) = (2, true)
  }

  /// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `size`.
  private static func roundStep(_ size: Double) -> Double {
    let power = pow(10, log10(size).rounded(.down))
    let factor = [1, 2, 2.5, 5].first { $0 * power >= size * (1 - 1e-9) } ?? 10
    return factor * power
  }

  /// Where a value lies; values beyond the ends lie on them.
  package func callAsFunction(_ value: Double) -> Double {
    let inside = min(max(value, lower), upper)
    let share =
      isLogarithmic ? log(inside / lower) / log(upper / lower) : (inside - lower) / (upper - lower)
    return pixels.0 + share * (pixels.1 - pixels.0)
  }

  package var ticks: [Double] {
    if isLogarithmic {
      return (0..<53).map { Double(1 << $0) }.filter { (lower...upper).contains($0) }
    }
    let first = Int((lower / step - 1e-9).rounded(.up))
    let last = Int((upper / step + 1e-9).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// A tick's number with as many digits as tell it from its neighbors.
  package func text(_ tick: Double) -> String {
    if tick == 0 { return "0" }
    if isLogarithmic { return String(Int(tick)) }
    if step >= 1000 { return Self.grouped(Int(tick)) }
    let digits = (0...4).first { digits in
      let scaled = step * pow(10, Double(digits))
      return abs(scaled - scaled.rounded()) < 1e-6 * scaled
    }
    return digits.map { Progress.rounded(tick, $0) } ?? String(format: "%.2g", tick)
  }

  /// A whole number with a narrow space before every third digit from the end.
  static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    let groups = digits.enumerated().map { index, digit in
      index > 0 && (digits.count - index) % 3 == 0 ? "\u{202F}\(digit)" : "\(digit)"
    }
    return (value < 0 ? "-" : "") + groups.joined()
  }
}
