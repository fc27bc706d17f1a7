import Foundation
import Tensors

/// The mean and the largest value over the channels of every voxel, as a grid of two channels, and the
/// channel of the latter.
package struct VoxelPeaks: Sendable {
  package let grid: VoxelGrid
  package let places: [Int32]

  /// Those of `map`.
  package init(of map: FeatureMap, on compute: Compute) {
    let extent = map.shape.extent
    let channels = map.shape.channels
    var grid = VoxelGrid(zeros: Shape(channels: 2, extent: extent))
    var places = [Int32](repeating: 0, count: extent.voxels)
    let out = grid.mutableValues()
    places.withUnsafeMutableBufferPointer { places in
      compute.team.forChunks(of: extent.voxels, length: 4096) { _, range in
        for voxel in range {
          var (sum, best, place) = (Float(0), -Float.infinity, Int32(0))
          for channel in 0..<channels {
            let value = map.pointer[
              channel / 16 * map.blockStride + voxel * 16 + channel % 16]
            sum += value
            if value > best { (best, place) = (value, Int32(channel)) }
          }
          out[voxel] = sum / Float(channels)
          out[extent.voxels + voxel] = best
          places[voxel] = place
        }
      }
    }
    self.grid = grid
    self.places = places
  }
}

/// The spatial gate of CBAM: every voxel times sigmoid(conv(mean, maximum over channels)).
package enum SpatialGate {
  /// y[c, p] = sigmoid(a[p]) u[c, p].
  package static func forward(
    _ u: FeatureMap, gate a: VoxelGrid, on compute: Compute
  ) -> FeatureMap {
    var y = FeatureMap(uninitialized: u.shape, from: compute.pool)
    let out = y.mutablePointer()
    compute.team.forChunks(of: u.shape.extent.voxels, length: 4096) { _, range in
      for voxel in range {
        let gate = sigmoid(a.values[voxel])
        forEachChannel(voxel, u) { out[$0] = gate * u.pointer[$0] }
      }
    }
    return y
  }

  /// The gradient of a, and that of u through the product: du = sigmoid(a) dy.
  package static func backward(
    _ dy: FeatureMap, _ u: FeatureMap, gate a: VoxelGrid, on compute: Compute
  ) -> (du: FeatureMap, da: VoxelGrid) {
    var da = VoxelGrid(zeros: a.shape)
    let out = da.mutableValues()
    compute.team.forChunks(of: a.shape.extent.voxels, length: 4096) { _, range in
      for voxel in range {
        let gate = sigmoid(a.values[voxel])
        var sum: Float = 0
        forEachChannel(voxel, u) { sum += dy.pointer[$0] * u.pointer[$0] }
        out[voxel] = sum * gate * (1 - gate)
      }
    }
    return (forward(dy, gate: a, on: compute), da)
  }

  /// Adds the gradients of means and maxima to that of the map they are of.
  package static func addPeaks(
    _ gradient: VoxelGrid, of peaks: VoxelPeaks, to du: inout FeatureMap, on compute: Compute
  ) {
    let (shape, stride) = (du.shape, du.blockStride)
    let voxels = shape.extent.voxels
    let out = du.mutablePointer()
    compute.team.forChunks(of: voxels, length: 4096) { _, range in
      for voxel in range {
        let share = gradient.values[voxel] / Float(shape.channels)
        for block in 0..<shape.channels / 16 {
          let start = block * stride + voxel * 16
          for index in start..<start + 16 { out[index] += share }
        }
        let channel = Int(peaks.places[voxel])
        out[channel / 16 * stride + voxel * 16 + channel % 16] += gradient.values[voxels + voxel]
      }
    }
  }

  /// Calls `body` with the index of each channel's value at a voxel.
  @inline(__always) private static func forEachChannel(
    _ voxel: Int, _ map: FeatureMap, _ body: (_ index: Int) -> Void
  ) {
    for block in 0..<map.blocks {
      let start = block * map.blockStride + voxel * FeatureMap.lanes
      for index in start..<start + FeatureMap.lanes { body(index) }
    }
  }

  private static func sigmoid(_ a: Float) -> Float { 1 / (1 + exp(-a)) }
}
