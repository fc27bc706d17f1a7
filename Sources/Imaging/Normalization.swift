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
package enum Normalization: Hashable, Sendable {
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
