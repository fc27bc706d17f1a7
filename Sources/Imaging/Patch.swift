import Tensors

/// A voxel's index, or the first voxel of a box; negative where a box begins in padding.
package struct VoxelIndex: Hashable, Sendable {
  package var z: Int
  package var y: Int
  package var x: Int

  package init(z: Int, y: Int, x: Int) {
    self.z = z
    self.y = y
    self.x = x
  }
}

/// A box cut from a prepared subject, what the network trains on.
package struct Patch: Sendable {
  /// Normalized intensities, `[C][z][y][x]`; 0 in padding.
  package var image: VoxelGrid
  /// Label values or `LabelMap.ignored`, `[z][y][x]`; 0 in padding.
  package var labels: [Int16]
  /// The identifier of the subject it comes from.
  package var subject: String
  package var epoch: Int
  /// Its place in the epoch.
  package var position: Int
  /// The first voxel in the prepared subject, before augmentation.
  package var corner: VoxelIndex

  package init(
    image: consuming VoxelGrid, labels: consuming [Int16], subject: String, epoch: Int,
    position: Int, corner: VoxelIndex
  ) {
    precondition(
      labels.count == image.shape.extent.voxels, "\(labels.count) labels for \(image.shape)")
    self.image = image
    self.labels = labels
    self.subject = subject
    self.epoch = epoch
    self.position = position
    self.corner = corner
  }
}

/// Where a box lies on a volume that may be smaller than the box along some axes.
package struct PatchWindow: Sendable {
  package let corner: VoxelIndex
  /// The size of the box.
  package let extent: Extent
  /// The size of the volume.
  package let volume: Extent

  package init(corner: VoxelIndex, extent: Extent, volume: Extent) {
    self.corner = corner
    self.extent = extent
    self.volume = volume
  }

  /// Where a box of `size` voxels begins along an axis of `volume` voxels if it should begin at
  /// `start`: shifted inside, or padded on both sides, by the smaller half first.
  package static func clamped(_ start: Int, size: Int, volume: Int) -> Int {
    volume < size ? -((size - volume) / 2) : min(max(start, 0), volume - size)
  }

  /// Calls `body(to, from, count)` for every run of voxels that box and volume share: the index of
  /// its first voxel in the box and in the volume, and its length along x.
  package func forEachRow(_ body: (_ to: Int, _ from: Int, _ count: Int) -> Void) {
    let xs = overlap(corner.x, extent.width, volume.width)
    let ys = overlap(corner.y, extent.height, volume.height)
    for z in overlap(corner.z, extent.depth, volume.depth) {
      for y in ys {
        let to = (z * extent.height + y) * extent.width + xs.lowerBound
        let row = (z + corner.z) * volume.height + y + corner.y
        body(to, row * volume.width + corner.x + xs.lowerBound, xs.count)
      }
    }
  }

  /// The box's part of an image, 0 outside it; the memory comes from `pool`.
  package func cut(_ image: VoxelGrid, from pool: MemoryPool) -> VoxelGrid {
    precondition(image.shape.extent == volume, "image \(image.shape) for a window on \(volume)")
    let shape = Shape(channels: image.shape.channels, extent: extent)
    var patch = VoxelGrid(uninitialized: shape, from: pool)
    let values = patch.mutableValues()
    if !isInside { values.update(repeating: 0) }
    let source = image.values
    for channel in 0..<shape.channels {
      let (to, from) = (channel * extent.voxels, channel * volume.voxels)
      forEachRow { row, sourceRow, count in
        let run = source[from + sourceRow..<from + sourceRow + count]
        _ = values[(to + row)...].update(fromContentsOf: run)
      }
    }
    return patch
  }

  /// The box's part of a label map, 0 outside it.
  package func cut(_ labels: LabelGrid) -> [Int16] {
    precondition(labels.count == volume.voxels, "\(labels.count) labels for \(volume)")
    let labels = labels.values
    var patch = [Int16](repeating: 0, count: extent.voxels)
    forEachRow { to, from, count in
      for i in 0..<count { patch[to + i] = labels[from + i] }
    }
    return patch
  }

  private var isInside: Bool {
    corner.z >= 0 && corner.y >= 0 && corner.x >= 0 && corner.z + extent.depth <= volume.depth
      && corner.y + extent.height <= volume.height && corner.x + extent.width <= volume.width
  }

  private func overlap(_ start: Int, _ size: Int, _ volume: Int) -> Range<Int> {
    let first = max(0, -start)
    return first..<max(first, min(size, volume - start))
  }
}
