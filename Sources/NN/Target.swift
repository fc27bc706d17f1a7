import Tensors

/// What a patch should become, at the finest scale; lower scales are taken by striding.
package enum Target: Sendable {
  /// A label in 0..<outputs for every voxel, x fastest; voxels labelled `ignore` do not count.
  case labels([Int16], ignore: Int? = nil)
  /// One channel in {0, 1} for every region; voxels where `ignored` is true do not count.
  case regions(VoxelGrid, ignored: [Bool]? = nil)

  /// The target at `lower`, of every step-th voxel from 0 on (our choice: nearest by striding).
  func strided(from full: Extent, to lower: Extent, on compute: Compute) -> Target {
    guard lower != full else { return self }
    let lattice = VoxelLattice(full: full, lower: lower)
    switch self {
    case .labels(let labels, let ignore):
      return .labels(lattice.values(of: labels, on: compute), ignore: ignore)
    case .regions(let grid, let ignored):
      let shape = Shape(channels: grid.shape.channels, extent: lower)
      var lowered = VoxelGrid(uninitialized: shape, from: compute.pool)
      for channel in 0..<shape.channels {
        let (source, values) = (grid.channel(channel), lowered.mutableChannel(channel))
        lattice.forEach(on: compute) { values[$0] = source[$1] }
      }
      return .regions(lowered, ignored: ignored.map { lattice.values(of: $0, on: compute) })
    }
  }
}

/// Every step-th voxel of a grid along each axis.
private struct VoxelLattice {
  let full: Extent
  let lower: Extent

  /// Hands over each voxel's index in the lower grid and in the full one, a plane to a thread.
  func forEach(on compute: Compute, _ body: (_ index: Int, _ source: Int) -> Void) {
    let steps = zip(full.zyx, lower.zyx).map { $0 / max($1, 1) }
    compute.team.parallelFor(lower.depth) { z, _ in
      var index = z * lower.height * lower.width
      for y in 0..<lower.height {
        let row = (z * steps[0] * full.height + y * steps[1]) * full.width
        for x in 0..<lower.width {
          body(index, row + x * steps[2])
          index += 1
        }
      }
    }
  }

  func values<Value>(of source: [Value], on compute: Compute) -> [Value] {
    [Value](unsafeUninitializedCapacity: lower.voxels) { values, count in
      forEach(on: compute) { values.initializeElement(at: $0, to: source[$1]) }
      count = lower.voxels
    }
  }
}
