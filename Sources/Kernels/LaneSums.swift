import CKernels
import Tensors

/// Sums over the voxels of a map in double precision, the same for any number of threads.
enum LaneSums {
  /// Voxels of one partial sum.
  private static let run = 16_384

  /// `count` sums per channel, each of `channels` values: `body` fills [count][16] for the voxels
  /// `range` of a block.
  static func reduce(
    _ shape: Shape, count: Int, on compute: Compute,
    _ body: (_ block: Int, _ range: Range<Int>, _ sums: UnsafeMutablePointer<Double>) -> Void
  ) -> [[Double]] {
    let voxels = shape.extent.voxels
    let runs = max(1, (voxels + run - 1) / run)
    let partial = PartialLaneSums(
      count: count, parts: runs, channels: shape.channels, on: compute)
    compute.team.parallelFor(shape.channels / 16 * runs) { item, _ in
      let (block, part) = item.quotientAndRemainder(dividingBy: runs)
      let start = part * run
      body(block, start..<min(start + run, voxels), partial.pointer(part: part, block: block))
    }
    return (0..<count).map { partial.totals($0) }
  }

  /// Adds the sum over voxels of each channel of `dy` to `db`.
  static func addBiasGradient(_ dy: FeatureMap, to db: FloatSlice, on compute: Compute) {
    precondition(
      db.count == dy.shape.channels, "\(db.count) biases for \(dy.shape.channels) channels")
    let sums = reduce(dy.shape, count: 1, on: compute) { block, range, sums in
      lk_lane_sums(dy.pointer + block * dy.blockStride + range.lowerBound * 16, range.count, sums)
    }
    for (channel, sum) in sums[0].enumerated() { db.mutableValues[channel] += Float(sum) }
  }
}
