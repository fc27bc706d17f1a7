import Imaging
import Tensors

/// The weighted sums of what windows give, logits and attention, over those planes of a volume that
/// are at work: a slab that moves along z as its planes become final.
struct WindowSums {
  /// Values times weights, `[C][planes][H][W]`.
  private var sums: VoxelGrid
  /// Weights, `[1][planes][H][W]`.
  private var weights: VoxelGrid
  /// The slab's first plane.
  private var first = 0
  /// The slab's planes; those that there is room for beyond them are 0.
  private var depth = 0
  /// The planes that there is room for from the first window on; 0 for those at work alone.
  private let room: Int

  /// Sums of no plane yet of a volume.
  ///
  /// - Parameter room: the most planes at work, which then move in place; 0 where other sums need the
  ///   memory in between.
  init(channels: Int, volume: Extent, room: Int) {
    var none = volume
    none.depth = 0
    self.room = room
    sums = VoxelGrid(zeros: Shape(channels: channels, extent: none))
    weights = VoxelGrid(zeros: Shape(channels: 1, extent: none))
  }

  /// Makes the slab reach to the plane before `end`.
  mutating func extend(to end: Int) {
    depth = max(depth, end - first)
    guard depth > weights.shape.extent.depth else { return }
    sums = sums.planes(from: 0, depth: max(depth, room))
    weights = weights.planes(from: 0, depth: max(depth, room))
  }

  /// Adds what a window gives, of which each voxel counts as `importance` says.
  mutating func add(
    _ output: VoxelGrid, weighted importance: [Float], at corner: VoxelIndex, on compute: Compute
  ) {
    let window = PatchWindow(
      corner: VoxelIndex(z: corner.z - first, y: corner.y, x: corner.x),
      extent: output.shape.extent, volume: weights.shape.extent)
    let (channels, voxels) = (output.shape.channels, weights.shape.extent.voxels)
    let (totals, ownWeights) = (sums.mutableValues(), weights.mutableValues())
    compute.team.parallelFor(channels + 1) { channel, _ in
      guard channel < channels else {
        window.forEachRow { row, target, count in
          for x in 0..<count { ownWeights[target + x] += importance[row + x] }
        }
        return
      }
      let values = output.channel(channel)
      window.forEachRow { row, target, count in
        let target = channel * voxels + target
        for x in 0..<count { totals[target + x] += values[row + x] * importance[row + x] }
      }
    }
  }

  /// The means of the slab's planes before `end`, which then leave it.
  mutating func finish(before end: Int, on compute: Compute) -> VoxelGrid {
    let (planes, left) = (end - first, depth - (end - first))
    divide(planes: planes, on: compute)
    let isAll = planes == weights.shape.extent.depth
    let means = isAll ? sums : sums.planes(from: 0, depth: planes)
    if room > 0 && left > 0 {
      sums.movePlanes(from: planes)
      weights.movePlanes(from: planes)
    } else {
      sums = sums.planes(from: planes, depth: left)
      weights = weights.planes(from: planes, depth: left)
    }
    (first, depth) = (end, left)
    return means
  }

  private mutating func divide(planes: Int, on compute: Compute) {
    let extent = weights.shape.extent
    let (channels, plane) = (sums.shape.channels, extent.height * extent.width)
    let (totals, divisors) = (sums.mutableValues(), weights.values)
    compute.team.parallelFor(channels * planes) { item, _ in
      let from = item % planes * plane
      let to = item / planes * extent.voxels + from
      for voxel in 0..<plane { totals[to + voxel] /= divisors[from + voxel] }
    }
  }
}

extension VoxelGrid {
  /// Moves the planes from `first` on to the front, and zeros in from the back.
  fileprivate mutating func movePlanes(from first: Int) {
    let (extent, values) = (shape.extent, mutableValues())
    let (start, count) = (first * extent.height * extent.width, extent.voxels)
    for channel in 0..<shape.channels {
      let own = UnsafeMutableBufferPointer(
        rebasing: values[channel * count..<(channel + 1) * count])
      for voxel in start..<count { own[voxel - start] = own[voxel] }
      own[(count - start)...].update(repeating: 0)
    }
  }

  /// A grid of `depth` planes that begins with this one's from plane `first` on, then holds zeros.
  func planes(from first: Int, depth: Int) -> VoxelGrid {
    var extent = shape.extent
    extent.depth = depth
    let plane = extent.height * extent.width
    let count = min(depth, shape.extent.depth - first) * plane
    var result = VoxelGrid(zeros: Shape(channels: shape.channels, extent: extent))
    for channel in 0..<shape.channels where count > 0 {
      let source = self.channel(channel)[first * plane..<first * plane + count]
      _ = result.mutableChannel(channel).update(fromContentsOf: source)
    }
    return result
  }
}
