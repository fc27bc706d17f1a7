/// The number of voxels along z, y and x of a volume or feature map.
package struct Extent: Codable, Hashable, Sendable, CustomStringConvertible {
  /// Voxels along z.
  package var depth: Int
  /// Voxels along y.
  package var height: Int
  /// Voxels along x, the axis that is contiguous in memory.
  package var width: Int

  package init(depth: Int, height: Int, width: Int) {
    self.depth = depth
    self.height = height
    self.width = width
  }

  /// The number of voxels.
  package var voxels: Int { depth * height * width }

  /// The sizes as z, y, x.
  package var zyx: [Int] { [depth, height, width] }

  /// The sizes as x, y, z, the order users read and write.
  package var xyz: [Int] { [width, height, depth] }

  package var description: String { "\(width)x\(height)x\(depth)" }

  /// The extent with each size replaced by `transform` of it.
  package func map(_ transform: (Int) -> Int) -> Extent {
    Extent(depth: transform(depth), height: transform(height), width: transform(width))
  }
}

/// Channels and spatial extent of one tensor; there is no batch axis.
package struct Shape: Hashable, Sendable, CustomStringConvertible {
  package var channels: Int
  package var extent: Extent

  package init(channels: Int, extent: Extent) {
    self.channels = channels
    self.extent = extent
  }

  /// The number of values.
  package var count: Int { channels * extent.voxels }

  package var description: String { "\(channels) x \(extent)" }
}
