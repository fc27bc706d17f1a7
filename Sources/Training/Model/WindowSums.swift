import Imaging
import Tensors

/// The sums of windows' weighted logits over those planes of a volume that are at work: a slab that
/// moves along z as its planes become final.
struct WindowSums {
  /// Logits times weights, `[O][planes][H][W]`.
  private var logits: VoxelGrid
  /// Weights, `[1][planes][H][W]`.
  private var weights: VoxelGrid
  /// The slab's first plane.
  private var first = 0

  /// Sums of no plane yet of a volume.
  init(outputs: Int, volume: Extent) {
    var none = volume
    none.depth = 0
    logits = VoxelGrid(zeros: Shape(channels: outputs, extent: none))
    weights = VoxelGrid(zeros: Shape(channels: 1, extent: none))
  }

  private var depth: Int { weights.shape.extent.depth }

  /// Makes the slab reach to the plane before `end`.
  mutating func extend(to end: Int) {
    guard end - first > depth else { return }
    logits = logits.planes(from: 0, depth: end - first)
    weights = weights.planes(from: 0, depth: end - first)
  }

  /// Adds a window's logits, of which each voxel counts as `importance` says.
  mutating func add(
    _ output: VoxelGrid, weighted importance: [Float], at corner: VoxelIndex, on compute: Compute
  ) {
    let window = PatchWindow(
      corner: VoxelIndex(z: corner.z - first, y: corner.y, x: corner.x),
      extent: output.shape.extent, volume: weights.shape.extent)
    let (channels, voxels) = (output.shape.channels, weights.shape.extent.voxels)
    let (sums, ownWeights) = (logits.mutableValues(), weights.mutableValues())
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
        for x in 0..<count { sums[target + x] += values[row + x] * importance[row + x] }
      }
    }
  }

  /// The mean logits of the slab's planes before `end`, which then leave it.
  mutating func finish(before end: Int, on compute: Compute) -> VoxelGrid {
    let (planes, left) = (end - first, depth - (end - first))
    divide(planes: planes, on: compute)
    let means = left == 0 ? logits : logits.planes(from: 0, depth: planes)
    logits = logits.planes(from: planes, depth: left)
    weights = weights.planes(from: planes, depth: left)
    first = end
    return means
  }

  private mutating func divide(planes: Int, on compute: Compute) {
    let extent = weights.shape.extent
    let (channels, plane) = (logits.shape.channels, extent.height * extent.width)
    let (sums, divisors) = (logits.mutableValues(), weights.values)
    compute.team.parallelFor(channels * planes) { item, _ in
      let from = item % planes * plane
      let to = item / planes * extent.voxels + from
      for voxel in 0..<plane { sums[to + voxel] /= divisors[from + voxel] }
    }
  }
}

extension VoxelGrid {
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
