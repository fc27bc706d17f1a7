import CKernels
import Tensors

/// Forward passes and input gradients: gather a tile, multiply by packed weights, scatter.
struct SweepProduct {
  let input: BlockTable
  let weights: SweepWeights
  let bias: FloatSlice?

  private struct Item {
    var sweep: Int
    var positions: Range<Int>
    var outputBlocks: Range<Int>
  }

  /// Runs all sweeps into a new map of `shape`.
  func callAsFunction(_ shape: Shape, on compute: Compute) -> FeatureMap {
    precondition(
      input.channels == weights.layout.inputs && shape.channels == weights.layout.outputs,
      "maps of \(input.channels) and \(shape.channels) channels for weights of "
        + "\(weights.layout.inputs) and \(weights.layout.outputs)")
    var map = FeatureMap(uninitialized: shape, from: compute.pool)
    let out = map.mutablePointer()
    let items = items()
    let rowFloats = Tiling.positions * rowLength
    let perThread = rowFloats + Tiling.positions * shape.channels
    let scratch = compute.pool.take(perThread * compute.team.threads)
    compute.team.parallelFor(items.count) { index, thread in
      let rows = scratch.pointer + thread * perThread
      run(items[index], rows: rows, tile: rows + rowFloats, out: out, extent: shape.extent)
    }
    return map
  }

  private var rowLength: Int {
    weights.sweeps.indices.map { weights.slabBlocks($0) * 16 * weights.sweeps[$0].taps.count }
      .max() ?? 0
  }

  // Where voxels are few, outputs are dealt out too; the cut never depends on the threads.
  private func items() -> [Item] {
    let blocks = weights.layout.outputs / 16
    let tiles = weights.sweeps.reduce(0) {
      $0 + ($1.grid.voxels + Tiling.positions - 1) / Tiling.positions
    }
    let chunks = max(1, min((blocks + 3) / 4, 32 / max(tiles, 1)))
    let step = (blocks + chunks - 1) / chunks
    return weights.sweeps.indices.flatMap { sweep in
      let count = weights.sweeps[sweep].grid.voxels
      return stride(from: 0, to: count, by: Tiling.positions).flatMap { first in
        stride(from: 0, to: blocks, by: step).map { block in
          Item(
            sweep: sweep, positions: first..<min(first + Tiling.positions, count),
            outputBlocks: block..<min(block + step, blocks))
        }
      }
    }
  }

  private func run(
    _ item: Item, rows: UnsafeMutablePointer<Float>, tile: UnsafeMutablePointer<Float>,
    out: UnsafeMutablePointer<Float>, extent: Extent
  ) {
    let sweep = weights.sweeps[item.sweep]
    let columns = item.outputBlocks.count * 16
    let firstOutput = item.outputBlocks.lowerBound * 16
    let slab = weights.slabBlocks(item.sweep)
    for block in stride(from: 0, to: input.pointers.count, by: slab) {
      let blocks = block..<min(block + slab, input.pointers.count)
      let depth = blocks.count * 16 * sweep.taps.count
      input.gather(blocks: blocks, sweep: sweep, positions: item.positions, into: rows)
      MatrixProduct(rows: item.positions.count, columns: columns, depth: depth)(
        rows, pitch: depth, weights.matrix(item.sweep, block: block) + firstOutput,
        pitch: weights.layout.outputs, into: tile, pitch: columns, accumulate: block > 0)
    }
    lk_scatter(
      tile, columns, bias.map { UnsafePointer($0.pointer + firstOutput) },
      item.outputBlocks.count, extent.zyx, sweep.grid.zyx, sweep.outputStride, sweep.origin,
      item.positions.lowerBound, item.positions.count, out + firstOutput * extent.voxels)
  }
}
