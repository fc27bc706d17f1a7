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
    weights.layout.check(inputs: input.channels, outputs: shape.channels)
    for sweep in weights.sweeps { compute.note(multiplyAdds: sweep.multiplyAdds(weights.layout)) }
    var map = FeatureMap(uninitialized: shape, from: compute.pool)
    let out = map.mutablePointer()
    let cut = cut()
    let rowFloats = Tiling.positions * rowLength
    let perThread = rowFloats + Tiling.positions * shape.channels
    let scratch = compute.pool.take(perThread * compute.team.threads)
    compute.team.parallelFor(cut.count) { index, thread in
      let rows = scratch.pointer + thread * perThread
      run(item(index, of: cut), rows: rows, tile: rows + rowFloats, out: out, extent: shape.extent)
    }
    return map
  }

  private var rowLength: Int {
    weights.sweeps.indices.map { weights.slabBlocks($0) * 16 * weights.sweeps[$0].taps.count }
      .max() ?? 0
  }

  /// How the work is dealt out: runs of positions of each sweep and, where voxels are few, of outputs;
  /// it never depends on the threads.
  private struct Cut {
    /// The number of items of the sweeps before each, and of all at the end.
    let starts: [Int]
    let chunks: Int
    /// Output blocks of a chunk.
    let step: Int
    var count: Int { starts[starts.count - 1] }
  }

  private func cut() -> Cut {
    let blocks = weights.layout.outputs / 16
    let tiles = weights.sweeps.map { ($0.grid.voxels + Tiling.positions - 1) / Tiling.positions }
    let wanted = max(1, min((blocks + 3) / 4, 32 / max(tiles.reduce(0, +), 1)))
    let step = (blocks + wanted - 1) / wanted
    let chunks = (blocks + step - 1) / step
    var starts = [0]
    for count in tiles { starts.append(starts[starts.count - 1] + count * chunks) }
    return Cut(starts: starts, chunks: chunks, step: step)
  }

  private func item(_ index: Int, of cut: Cut) -> Item {
    let sweep = (cut.starts.firstIndex { $0 > index } ?? cut.starts.count) - 1
    let (tile, chunk) = (index - cut.starts[sweep]).quotientAndRemainder(dividingBy: cut.chunks)
    let first = tile * Tiling.positions
    let block = chunk * cut.step
    return Item(
      sweep: sweep,
      positions: first..<min(first + Tiling.positions, weights.sweeps[sweep].grid.voxels),
      outputBlocks: block..<min(block + cut.step, weights.layout.outputs / 16))
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
