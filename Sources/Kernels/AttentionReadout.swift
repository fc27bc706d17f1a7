import Foundation
import Tensors

/// What is looked at of an attention gate, one value a voxel; A = sigmoid(a) is its attention map.
package enum AttentionReadout: Hashable, Sendable {
  /// The mean over channels of the map u that the gate reads.
  case input
  /// The mean over channels of A, 0 to 1.
  case attention
  /// The mean over channels of A u.
  case product
  /// A in one channel, 0 to 1.
  case channel(Int)

  /// Whether a gate of so many channels has the one that is wanted.
  package func exists(amongChannels count: Int) -> Bool {
    if case .channel(let channel) = self { (0..<count).contains(channel) } else { true }
  }

  /// The values at u's extent, one channel.
  package func values(_ u: FeatureMap, gate a: FeatureMap, on compute: Compute) -> VoxelGrid {
    precondition(u.shape == a.shape, "maps of \(u.shape) and \(a.shape)")
    let extent = u.shape.extent
    var grid = VoxelGrid(zeros: Shape(channels: 1, extent: extent))
    let out = grid.mutableValues()
    compute.team.forChunks(of: extent.voxels, length: 1 << 12) { _, voxels in
      for voxel in voxels { out[voxel] = value(u, a, at: voxel) }
    }
    return grid
  }

  private func value(_ u: FeatureMap, _ a: FeatureMap, at voxel: Int) -> Float {
    let lanes = FeatureMap.lanes
    if case .channel(let channel) = self {
      precondition(channel < a.shape.channels, "channel \(channel) of \(a.shape)")
      let place = channel / lanes * a.blockStride + voxel * lanes + channel % lanes
      return Self.sigmoid(a.pointer[place])
    }
    var sum: Float = 0
    for block in 0..<u.blocks {
      let first = block * u.blockStride + voxel * lanes
      for index in first..<first + lanes { sum += term(u.pointer[index], a.pointer[index]) }
    }
    return sum / Float(u.shape.channels)
  }

  @inline(__always)
  private func term(_ u: Float, _ a: Float) -> Float {
    switch self {
    case .input: u
    case .attention, .channel: Self.sigmoid(a)
    case .product: Self.sigmoid(a) * u
    }
  }

  private static func sigmoid(_ a: Float) -> Float { 1 / (1 + exp(-a)) }
}
