import CKernels
import Tensors

/// The sum and the sum of squares of each channel of a map, in double precision.
package struct ChannelMoments {
  package private(set) var sums: [Double]
  package private(set) var squares: [Double]

  /// No values yet.
  init(channels: Int) {
    sums = Array(repeating: 0, count: channels)
    squares = sums
  }

  /// Those of `map`.
  init(of map: FeatureMap, on compute: Compute) {
    let both = LaneSums.reduce(map.shape, count: 2, on: compute) { block, range, sums in
      lk_lane_moments(
        map.pointer + block * map.blockStride + range.lowerBound * 16, range.count, sums)
    }
    sums = both[0]
    squares = both[1]
  }

  /// The moments of the values of both.
  mutating func add(_ other: ChannelMoments) {
    for channel in sums.indices {
      sums[channel] += other.sums[channel]
      squares[channel] += other.squares[channel]
    }
  }

  fileprivate mutating func add(channel: Int, sum: Double, square: Double) {
    sums[channel] += sum
    squares[channel] += square
  }
}

/// Moments that several work items gather, added in the order of the parts.
struct PartialMoments {
  private let parts: Int
  private let channels: Int
  private let values: DoubleScratch

  init(parts: Int, channels: Int, on compute: Compute) {
    self.parts = parts
    self.channels = channels
    values = DoubleScratch(count: parts * channels * 2, on: compute)
  }

  /// Where a part adds the moments [2][16] of a block of channels.
  func pointer(part: Int, block: Int) -> UnsafeMutablePointer<Double> {
    values.pointer + part * channels * 2 + block * 32
  }

  var total: ChannelMoments {
    var total = ChannelMoments(channels: channels)
    for part in 0..<parts {
      for channel in 0..<channels {
        let index = part * channels * 2 + channel / 16 * 32 + channel % 16
        total.add(channel: channel, sum: values[index], square: values[index + 16])
      }
    }
    return total
  }
}
