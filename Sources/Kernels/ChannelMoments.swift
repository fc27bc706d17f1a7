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

  /// The totals of `partial`, whose sums are those of the values and of their squares.
  init(_ partial: PartialLaneSums) {
    sums = partial.totals(0)
    squares = partial.totals(1)
  }

  /// The moments of the values of both.
  mutating func add(_ other: ChannelMoments) {
    for channel in sums.indices {
      sums[channel] += other.sums[channel]
      squares[channel] += other.squares[channel]
    }
  }
}
