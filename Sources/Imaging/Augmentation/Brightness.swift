import Tensors

/// Multiplies each channel by a random factor.
package struct Brightness: Hashable, Sendable {
  package var probability: Double
  package var factor: ClosedRange<Double>

  package init(probability: Double = 0.15, factor: ClosedRange<Double> = 0.75...1.25) {
    self.probability = probability
    self.factor = factor
  }

  func apply(to image: inout VoxelGrid, _ stream: inout RandomStream) {
    guard stream.uniform() < probability else { return }
    for channel in 0..<image.shape.channels {
      let factor = Float(stream.factor(in: factor))
      image.mutableChannel(channel).transform { $0 * factor }
    }
  }
}

/// Stretches each channel about its mean by a random factor; the range it had is kept.
package struct Contrast: Hashable, Sendable {
  package var probability: Double
  package var factor: ClosedRange<Double>

  package init(probability: Double = 0.15, factor: ClosedRange<Double> = 0.75...1.25) {
    self.probability = probability
    self.factor = factor
  }

  func apply(to image: inout VoxelGrid, _ stream: inout RandomStream) {
    guard stream.uniform() < probability else { return }
    for channel in 0..<image.shape.channels {
      Self.stretch(image.mutableChannel(channel), by: Float(stream.factor(in: factor)))
    }
  }

  /// Stretches the values of one channel.
  package static func stretch(_ values: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    let statistics = ChannelStatistics(values)
    let offset = statistics.mean * (1 - factor)
    let low = SIMD8(repeating: statistics.minimum)
    let high = SIMD8(repeating: statistics.maximum)
    values.transform {
      VectorMath.minimum(VectorMath.maximum($0 * factor + offset, low), high)
    }
  }
}

extension RandomStream {
  /// A factor: below 1 and above 1 equally often where `range` has both, uniform on either side.
  mutating func factor(in range: ClosedRange<Double>) -> Double {
    let (side, place) = (uniform(), uniform())
    guard range.contains(1) else { return range.at(place) }
    return side < 0.5 ? (range.lowerBound...1).at(place) : (1...range.upperBound).at(place)
  }

  /// A number drawn uniformly from `range`.
  mutating func uniform(in range: ClosedRange<Double>) -> Double { range.at(uniform()) }
}

extension ClosedRange<Double> {
  fileprivate func at(_ place: Double) -> Double {
    lowerBound + (upperBound - lowerBound) * place
  }
}
