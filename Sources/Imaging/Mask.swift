import Tensors

/// The voxels of one class or region of a label map.
package struct Mask: Sendable {
  /// 1 inside, 0 outside, `[z][y][x]` with x contiguous.
  package let inside: [UInt8]
  package let extent: Extent

  /// A mask of the given voxels, as many as the extent's, each 0 or 1.
  package init(inside: [UInt8], extent: Extent) {
    precondition(inside.count == extent.voxels, "\(inside.count) voxels for \(extent)")
    self.inside = inside
    self.extent = extent
  }

  /// The voxels of `map` whose label is one of `values`.
  package init(of values: [Int16], in map: LabelMap) {
    // A table answers for classes and for regions of many labels at the same speed.
    var isMember = [UInt8](repeating: 0, count: 1 << 16)
    for value in values { isMember[Int(UInt16(bitPattern: value))] = 1 }
    self.init(
      inside: map.labels.map { isMember[Int(UInt16(bitPattern: $0))] },
      extent: map.geometry.extent)
  }

  /// The number of voxels inside.
  package var count: Int { inside.reduce(0) { $0 &+ Int($1) } }

  /// The smallest box that holds every voxel of this mask and of `other`; nil if both are empty.
  package func box(with other: Mask) -> VoxelBox? {
    precondition(extent == other.extent, "masks of \(extent) and \(other.extent)")
    var (lower, upper) = ([Int.max, Int.max, Int.max], [Int.min, Int.min, Int.min])
    for z in 0..<extent.depth {
      for y in 0..<extent.height {
        let start = (z * extent.height + y) * extent.width
        let row = start..<start + extent.width
        guard let first = row.first(where: { inside[$0] | other.inside[$0] != 0 }),
          let last = row.last(where: { inside[$0] | other.inside[$0] != 0 })
        else { continue }
        for (axis, low, high) in [(0, first - start, last - start), (1, y, y), (2, z, z)] {
          lower[axis] = min(lower[axis], low)
          upper[axis] = max(upper[axis], high)
        }
      }
    }
    guard lower[0] != Int.max else { return nil }
    return VoxelBox(lower: lower, extent: Extent(xyz: (0..<3).map { upper[$0] - lower[$0] + 1 }))
  }

  /// The part of the mask inside `box`, with one voxel of background around it on every side.
  package func bordered(_ box: VoxelBox) -> Mask {
    let size = box.extent
    let grown = size.map { $0 + 2 }
    var voxels = [UInt8](repeating: 0, count: grown.voxels)
    for z in 0..<size.depth {
      for y in 0..<size.height {
        let from = ((z + box.lower[2]) * extent.height + y + box.lower[1]) * extent.width
        let to = ((z + 1) * grown.height + y + 1) * grown.width + 1
        for x in 0..<size.width { voxels[to + x] = inside[from + box.lower[0] + x] }
      }
    }
    return Mask(inside: voxels, extent: grown)
  }

  /// The voxels inside that have one of their 6 neighbors outside; the mask must have a border of
  /// background, so that the end of the image counts as outside.
  package func surface() -> Mask {
    let (row, slice) = (extent.width, extent.width * extent.height)
    var voxels = [UInt8](repeating: 0, count: inside.count)
    for z in 1..<max(extent.depth - 1, 1) {
      for y in 1..<max(extent.height - 1, 1) {
        let start = z * slice + y * row
        for i in start + 1..<max(start + row - 1, start + 1) where inside[i] != 0 {
          let neighbors =
            inside[i - 1] & inside[i + 1] & inside[i - row] & inside[i + row]
            & inside[i - slice] & inside[i + slice]
          voxels[i] = 1 - neighbors
        }
      }
    }
    return Mask(inside: voxels, extent: extent)
  }
}
