import Foundation

/// The gradient norms of the last good steps, by which an outlier is told.
package struct NormHistory: Codable, Equatable, Sendable {
  /// Our choice: norms drift over a run, so that only the last steps say what is usual.
  static let window = 50
  /// Norms below which their deviation is too uncertain to skip a step.
  static let fewest = 20

  // The norms themselves, which JSON keeps to the bit.
  private var norms: [Double] = []

  package init() {}

  /// Adds the norm of a good step; the oldest of more than `window` goes.
  package mutating func add(_ norm: Double) {
    guard norm > 0 else { return }
    norms.append(norm)
    if norms.count > Self.window { norms.removeFirst() }
  }

  /// How many standard deviations the logarithm of `norm` lies above the mean of the logarithms; nil
  /// while there are fewer than `fewest`.
  package func deviations(of norm: Double) -> Double? {
    guard norms.count >= Self.fewest, norm > 0 else { return nil }
    let logarithms = norms.map { log($0) }
    let count = Double(logarithms.count)
    let mean = logarithms.reduce(0, +) / count
    let variance = logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    return (log(norm) - mean) / variance.squareRoot()
  }
}
