import Tensors

/// Raises intensities to a power, each channel to its own.
///
/// Channels are brought to [0, 1] by their range and back, and keep their mean and standard
/// deviation, as in nnU-Net.
package struct Gamma: Hashable, Sendable {
  package var probability = 0.3
  /// Exponents; below 1 brightens the dark.
  package var gamma = 0.7...1.5

  package init(probability: Double = 0.3, gamma: ClosedRange<Double> = 0.7...1.5) {
    self.probability = probability
    self.gamma = gamma
  }

  func apply(
    to image: inout VoxelGrid, _ stream: inout RandomStream, isInverted: Bool
  ) {
    guard stream.uniform() < probability else { return }
    for channel in 0..<image.shape.channels {
      Self.raise(
        image.mutableChannel(channel), to: Float(stream.factor(in: gamma)),
        isInverted: isInverted)
    }
  }

  /// Raises the values of one channel; `isInverted` does so to the negative of the image.
  package static func raise(
    _ values: UnsafeMutableBufferPointer<Float>, to gamma: Float, isInverted: Bool = false
  ) {
    let before = ChannelStatistics(values)
    let range = before.maximum - before.minimum
    guard range > 0 else { return }
    let deviation = ChannelStatistics.standardDeviation(of: values, mean: before.mean)
    let (sign, edge): (Float, Float) = isInverted ? (-1, before.maximum) : (1, before.minimum)
    let inward = sign / range
    // The edge itself is 0 or -0, of which there is no logarithm.
    let smallest = SIMD8(repeating: Float.leastNormalMagnitude)
    values.transform { value in
      let unit = VectorMath.maximum((value - edge) * inward, smallest)
      return VectorMath.exp2(VectorMath.log2(unit) * gamma) * sign
    }
    let mean = ChannelStatistics(values).mean
    let newDeviation = ChannelStatistics.standardDeviation(of: values, mean: mean)
    let scale = newDeviation > 0 ? deviation / newDeviation : 1
    let offset = before.mean - mean * scale
    values.transform { $0 * scale + offset }
  }
}
