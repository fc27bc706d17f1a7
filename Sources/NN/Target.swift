import Tensors

/// What a patch should become, at the finest scale; lower scales are taken by striding.
package enum Target: Sendable {
  /// A label in 0..<outputs for every voxel, x fastest; voxels labelled `ignore` do not count.
  case labels([Int16], ignore: Int? = nil)
  /// One channel in {0, 1} for every region; voxels where `ignored` is true do not count.
  case regions(VoxelGrid, ignored: [Bool]? = nil)

  /// The target at `lower`, of every step-th voxel from 0 on (our choice: nearest by striding).
  func strided(from full: Extent, to lower: Extent) -> Target {
    guard lower != full else { return self }
    let voxels = Self.voxels(of: full, at: lower)
    switch self {
    case .labels(let labels, let ignore):
      return .labels(voxels.map { labels[$0] }, ignore: ignore)
    case .regions(let grid, let ignored):
      let shape = Shape(channels: grid.shape.channels, extent: lower)
      let values = (0..<shape.channels).flatMap { channel in
        let source = grid.channel(channel)
        return voxels.map { source[$0] }
      }
      return .regions(
        VoxelGrid(shape, values: values),
        ignored: ignored.map { mask in
          voxels.map { mask[$0] }
        })
    }
  }

  /// The indices in `full` of the voxels of `lower`.
  private static func voxels(of full: Extent, at lower: Extent) -> [Int] {
    let steps = zip(full.zyx, lower.zyx).map { $0 / max($1, 1) }
    var indices: [Int] = []
    indices.reserveCapacity(lower.voxels)
    for z in 0..<lower.depth {
      for y in 0..<lower.height {
        let row = (z * steps[0] * full.height + y * steps[1]) * full.width
        for x in 0..<lower.width { indices.append(row + x * steps[2]) }
      }
    }
    return indices
  }
}
