/// Intensities of the training subjects' foreground voxels in one channel.
package struct IntensityStatistics: Codable, Hashable, Sendable {
  /// The 0.5 percentile.
  package var lower: Double
  /// The 99.5 percentile.
  package var upper: Double
  package var mean: Double
  /// The population standard deviation.
  package var deviation: Double

  package init(lower: Double, upper: Double, mean: Double, deviation: Double) {
    self.lower = lower
    self.upper = upper
    self.mean = mean
    self.deviation = deviation
  }
}

/// How one channel's intensities become the network's input.
package enum Normalization: Codable, Hashable, Sendable {
  /// Mean 0 and deviation 1 over the cropped volume.
  case zscore
  /// Mean 0 and deviation 1 over the non-zero voxels; the others stay 0.
  case zscoreNonzero
  /// Clipped to the foreground's percentiles, then its mean and deviation; nil until measured.
  case ct(IntensityStatistics?)
  /// `lower` to 0 and `upper` to 1, clipped outside; needs lower < upper.
  case window(lower: Double, upper: Double)
  /// Intensities as stored.
  case none
}

extension Normalization {
  /// Applies the rule to one channel in place.
  ///
  /// - Throws: `configuration` for an empty window or CT statistics that were not measured.
  package func apply(
    to values: UnsafeMutableBufferPointer<Float>
  ) throws(ImagingError) {
    switch self {
    case .zscore: Self.standardize(values) { _ in true }
    case .zscoreNonzero: Self.standardize(values) { $0 != 0 }
    case .ct(let statistics):
      guard let statistics else {
        throw .configuration(
          "normalization ct needs the training subjects' intensities, which were not measured")
      }
      Self.clip(
        values, statistics.lower, statistics.upper, minus: statistics.mean,
        over: statistics.deviation + 1e-8)
    case .window(let lower, let upper):
      guard lower < upper else {
        throw .configuration("normalization window needs lower < upper, not \(lower), \(upper)")
      }
      Self.clip(values, lower, upper, minus: lower, over: upper - lower)
    case .none: break
    }
  }

  /// Mean 0 and population deviation 1 over the values that count; the others keep theirs.
  private static func standardize(
    _ values: UnsafeMutableBufferPointer<Float>, where counts: (Float) -> Bool
  ) {
    var (sum, count) = (0.0, 0)
    for value in values where counts(value) {
      sum += Double(value)
      count += 1
    }
    guard count > 0 else { return }
    let mean = sum / Double(count)
    var squares = 0.0
    for value in values where counts(value) {
      squares += (Double(value) - mean) * (Double(value) - mean)
    }
    let scale = 1 / ((squares / Double(count)).squareRoot() + 1e-8)
    for index in values.indices where counts(values[index]) {
      values[index] = Float((Double(values[index]) - mean) * scale)
    }
  }

  private static func clip(
    _ values: UnsafeMutableBufferPointer<Float>, _ lower: Double, _ upper: Double,
    minus shift: Double, over scale: Double
  ) {
    for index in values.indices {
      values[index] = Float((min(max(Double(values[index]), lower), upper) - shift) / scale)
    }
  }
}
