import CKernels
import Tensors

/// dW[tap][input][output] += sum over positions p of in[p * stride + tap] out[p].
///
/// Dealt out as slabs of input channels times a fixed number of parts of the positions, whose sums
/// are added in order: the result does not depend on the threads.
struct SweepWeightGradient {
  let input: BlockTable
  let gradient: BlockTable
  let sweep: TapSweep

  /// Adds the gradient to `dw`, [output][input][tap].
  func add(to dw: FloatSlice, on compute: Compute) {
    let layout = WeightLayout(
      inputs: input.channels, outputs: gradient.channels, taps: sweep.taps.count,
      outputsFirst: true)
    layout.check(dw)
    precondition(
      gradient.extent == sweep.grid, "a gradient of \(gradient.extent), not \(sweep.grid) voxels")
    guard !sweep.isEmpty else { return }
    compute.note(multiplyAdds: sweep.multiplyAdds(layout))
    let sums = compute.pool.take(parts * layout.count)
    let perThread = Tiling.positions * (slab * 16 * layout.taps + layout.outputs)
    let scratch = compute.pool.take(perThread * compute.team.threads)
    compute.team.parallelFor(slabs * parts) { item, thread in
      accumulate(
        slab: item % slabs, part: item / slabs, into: sums.pointer + item / slabs * layout.count,
        scratch: scratch.pointer + thread * perThread)
    }
    unpack(sums, layout: layout, to: dw, on: compute)
  }

  private var slab: Int {
    Tiling.slabBlocks(taps: sweep.taps.count, blocks: input.pointers.count)
  }
  private var slabs: Int { (input.pointers.count + slab - 1) / slab }
  private var tiles: Int { (sweep.grid.voxels + Tiling.positions - 1) / Tiling.positions }
  private var parts: Int { min(tiles, max(1, 32 / slabs)) }

  private func accumulate(
    slab index: Int, part: Int, into sums: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let blocks = index * slab..<min(index * slab + slab, input.pointers.count)
    let rows = blocks.count * 16 * sweep.taps.count
    let outputs = gradient.channels
    let right = scratch + Tiling.positions * rows
    let matrix = sums + blocks.lowerBound * 16 * sweep.taps.count * outputs
    let pointwise = TapSweep(taps: [0], offsets: [0, 0, 0], grid: sweep.grid)
    let firstTile = part * tiles / parts
    for tile in firstTile..<(part + 1) * tiles / parts {
      let start = tile * Tiling.positions
      let positions = start..<min(start + Tiling.positions, sweep.grid.voxels)
      input.gather(blocks: blocks, sweep: sweep, positions: positions, into: scratch)
      gradient.gather(
        blocks: 0..<gradient.pointers.count, sweep: pointwise, positions: positions, into: right)
      MatrixProduct(rows: rows, columns: outputs, depth: positions.count, transposeA: true)(
        scratch, pitch: rows, right, pitch: outputs, into: matrix, pitch: outputs,
        accumulate: tile > firstTile)
    }
  }

  private func unpack(
    _ sums: FloatBuffer, layout: WeightLayout, to dw: FloatSlice, on compute: Compute
  ) {
    let outputBlocks = layout.outputs / 16
    compute.team.parallelFor(input.pointers.count * outputBlocks) { item, _ in
      let (block, outputBlock) = item.quotientAndRemainder(dividingBy: outputBlocks)
      let first = block / slab * slab
      let slabInputs = min(slab, input.pointers.count - first) * 16
      for row in 0..<16 {
        let column = ((block - first) * 16 + row) * layout.outputs + outputBlock * 16
        let start = first * 16 * layout.taps * layout.outputs + column
        lk_unpack_add(
          sums.pointer + start, slabInputs * layout.outputs, parts, layout.count, layout.taps,
          dw.pointer + (block * 16 + row) * layout.inputStride
            + outputBlock * 16 * layout.outputStride, layout.outputStride)
      }
    }
  }
}
