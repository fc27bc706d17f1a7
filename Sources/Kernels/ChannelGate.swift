import Foundation
import Tensors

/// The mean and the largest value of every channel of a map, and where the latter is.
package struct ChannelPeaks: Sendable {
  package let means: [Float]
  package let maxima: [Float]
  /// The first voxel of the largest value.
  package let places: [Int]

  /// Those of `map`.
  package init(of map: FeatureMap, on compute: Compute) {
    let voxels = map.shape.extent.voxels
    means = ChannelGate.sums(map.shape, on: compute) { channel, voxel in
      Double(map.pointer[channel / 16 * map.blockStride + voxel * 16 + channel % 16])
    }.map { Float($0 / Double(voxels)) }
    var (maxima, places) = ([Float](), [Int]())
    for channel in 0..<map.shape.channels {
      let lane = map.pointer + channel / 16 * map.blockStride + channel % 16
      let place = (0..<voxels).reduce(0) { lane[$1 * 16] > lane[$0 * 16] ? $1 : $0 }
      places.append(place)
      maxima.append(lane[place * 16])
    }
    (self.maxima, self.places) = (maxima, places)
  }
}

/// The channel gate of CBAM (Woo et al. 2018): every channel times a number of its own.
package enum ChannelGate {
  /// The logistic function of every value: a gate.
  package static func sigmoids(_ values: [Float]) -> [Float] { values.map { 1 / (1 + exp(-$0)) } }

  /// y[c, p] = gate[c] u[c, p].
  package static func forward(
    _ u: FeatureMap, gate: [Float], on compute: Compute
  ) -> FeatureMap {
    var y = FeatureMap(uninitialized: u.shape, from: compute.pool)
    let out = y.mutablePointer()
    forEachBlock(u.shape, on: compute) { block in
      let start = block * u.blockStride
      for index in start..<start + u.blockStride {
        out[index] = u.pointer[index] * gate[block * 16 + index % 16]
      }
    }
    return y
  }

  /// The gradient of the gate, and that of u through the product: du = gate dy.
  package static func backward(
    _ dy: FeatureMap, _ u: FeatureMap, gate: [Float], on compute: Compute
  ) -> (du: FeatureMap, dGate: [Float]) {
    let dGate = sums(u.shape, on: compute) { channel, voxel in
      let index = channel / 16 * u.blockStride + voxel * 16 + channel % 16
      return Double(dy.pointer[index]) * Double(u.pointer[index])
    }
    return (forward(dy, gate: gate, on: compute), dGate.map { Float($0) })
  }

  /// Adds the gradients of means and maxima to that of the map they are of.
  package static func addPeaks(
    means: [Float], maxima: [Float], of peaks: ChannelPeaks, to du: inout FeatureMap,
    on compute: Compute
  ) {
    let (shape, stride) = (du.shape, du.blockStride)
    let share = means.map { $0 / Float(shape.extent.voxels) }
    let out = du.mutablePointer()
    forEachBlock(shape, on: compute) { block in
      for index in block * stride..<(block + 1) * stride {
        out[index] += share[block * 16 + index % 16]
      }
      for channel in block * 16..<block * 16 + 16 {
        out[block * stride + peaks.places[channel] * 16 + channel % 16] += maxima[channel]
      }
    }
  }

  /// The sum over voxels of what `value` gives, for every channel.
  fileprivate static func sums(
    _ shape: Shape, on compute: Compute, _ value: (_ channel: Int, _ voxel: Int) -> Double
  ) -> [Double] {
    LaneSums.reduce(shape, count: 1, on: compute) { block, range, sums in
      for lane in 0..<16 {
        sums[lane] = range.reduce(0) { $0 + value(block * 16 + lane, $1) }
      }
    }[0]
  }

  private static func forEachBlock(
    _ shape: Shape, on compute: Compute, _ body: (_ block: Int) -> Void
  ) {
    compute.team.parallelFor(shape.channels / FeatureMap.lanes) { block, _ in body(block) }
  }
}
