import CKernels
import Tensors

/// Weight gradients by a Winograd plan of one group: the products of the transformed inputs and the
/// transformed output gradients add up over the tiles, and their sums are transformed back.
///
/// Dealt out as slabs of channels times a fixed number of parts of the tiles, whose sums are added in
/// order: the result does not depend on the threads.
struct WinogradWeightGradient {
  let plan: WinogradPlan
  let input: BlockTable
  let gradient: BlockTable
  let layout: WeightLayout

  /// Output channels of a slab.
  private static let outputSlab = 64
  /// Tiles transformed at once. Fixed, because sums depend on it; 24 and 48 were equally fast.
  private static let tiles = 24
  /// Items worth having, for as many threads.
  private static let items = 32

  private struct Item {
    let inputs: Range<Int>
    let outputs: Range<Int>
    let part: Int
  }

  /// Adds the gradient to `dw`, whose values lie as `layout` says.
  func add(to dw: FloatSlice, on compute: Compute) {
    layout.check(dw)
    layout.check(inputs: input.channels, outputs: gradient.channels)
    compute.note(multiplyAdds: plan.multiplyAdds(layout))
    // Parts but the first; the first adds to the gradient itself.
    let partial = compute.pool.take((parts - 1) * layout.count)
    let inputFloats = form.inputPoints * inputPitch
    let outputFloats = form.outputPoints * outputPitch
    let perThread = inputFloats + outputFloats + form.weightPoints * weightPitch
    let scratch = compute.pool.take(perThread * compute.team.threads)
    FlatBlock.fill(partial.slice, with: 0, on: compute)
    compute.team.parallelFor(inputSlabs * outputSlabs * parts) { index, thread in
      let item = item(index)
      let target =
        item.part == 0 ? dw.pointer : partial.pointer + (item.part - 1) * layout.count
      let inputs = scratch.pointer + thread * perThread
      run(
        item, into: target, inputs: inputs, outputs: inputs + inputFloats,
        sums: inputs + inputFloats + outputFloats)
    }
    sum(partial, parts: parts - 1, into: dw, on: compute)
  }

  private var group: WinogradPlan.Group { plan.groups[0] }
  private var form: WinogradForm { group.form }

  /// Input channels of a slab: as many as keep the points of its tiles in cache.
  private var inputSlab: Int { form.inputPoints > 216 ? 32 : 64 }
  private var inputSlabs: Int { (layout.inputs + inputSlab - 1) / inputSlab }
  private var outputSlabs: Int { (layout.outputs + Self.outputSlab - 1) / Self.outputSlab }

  // Sixteen floats more keep the points out of the same cache sets.
  private var inputPitch: Int { Self.tiles * inputSlab + 16 }
  private var outputPitch: Int { Self.tiles * Self.outputSlab + 16 }
  private var weightPitch: Int { inputSlab * Self.outputSlab + 16 }

  private var blocks: Int { (plan.grid.voxels + Self.tiles - 1) / Self.tiles }
  // Each part ends with the transform of its sums, which several blocks should pay for.
  private var parts: Int {
    max(1, min(WinogradTiling.even(blocks / 3), Self.items / (inputSlabs * outputSlabs)))
  }

  private func item(_ index: Int) -> Item {
    let (pair, part) = index.quotientAndRemainder(dividingBy: parts)
    let input = pair / outputSlabs * inputSlab
    let output = pair % outputSlabs * Self.outputSlab
    return Item(
      inputs: input..<min(input + inputSlab, layout.inputs),
      outputs: output..<min(output + Self.outputSlab, layout.outputs), part: part)
  }

  private func run(
    _ item: Item, into dw: UnsafeMutablePointer<Float>, inputs: UnsafeMutablePointer<Float>,
    outputs: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
  ) {
    let first = item.part * blocks / parts
    for block in first..<(item.part + 1) * blocks / parts {
      let start = block * Self.tiles
      let tiles = start..<min(start + Self.tiles, plan.grid.voxels)
      input.transform(
        plan.inputTiles(of: group, in: input.extent), range: tiles, channels: item.inputs,
        into: inputs, pitch: TilePitch(point: inputPitch, tile: inputSlab))
      gradient.transform(
        plan.outputTiles(of: group, in: gradient.extent), range: tiles, isGradient: true,
        channels: item.outputs, into: outputs,
        pitch: TilePitch(point: outputPitch, tile: Self.outputSlab))
      multiply(
        item, inputs: inputs, outputs: outputs, tiles: tiles.count, into: sums,
        accumulate: block > first)
    }
    transformBack(item, sums, into: dw)
  }

  private func multiply(
    _ item: Item, inputs: UnsafePointer<Float>, outputs: UnsafePointer<Float>, tiles: Int,
    into sums: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    var product = lk_tile_product()
    product.depth = item.inputs.count
    product.outputBlocks = item.outputs.count / 16
    product.inputPitch = inputPitch
    product.inputTilePitch = inputSlab
    product.outputPitch = outputPitch
    product.outputTilePitch = Self.outputSlab
    product.weightPitch = weightPitch
    product.weightBlockPitch = inputSlab * 16
    product.accumulate = accumulate ? 1 : 0
    form.byWeight.withUnsafeBufferPointer { products in
      product.products = products.baseAddress
      product.productCount = products.count
      lk_tile_weight_products(&product, inputs, tiles, sums, outputs)
    }
  }

  private func transformBack(
    _ item: Item, _ sums: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>
  ) {
    var taps = plan.taps(of: group, layout)
    for block in 0..<item.outputs.count / 16 {
      let output = item.outputs.lowerBound + block * 16
      lk_tile_weight_gradients(
        &taps, sums + block * inputSlab * 16, weightPitch, item.inputs.count,
        dw + item.inputs.lowerBound * layout.inputStride + output * layout.outputStride)
    }
  }

  private func sum(
    _ partial: FloatBuffer, parts: Int, into dw: FloatSlice, on compute: Compute
  ) {
    guard parts > 0 else { return }
    FlatBlock.forChunks(of: layout.count, on: compute) { _, range in
      for part in 0..<parts {
        let values = partial.pointer + part * layout.count
        for index in range { dw.pointer[index] += values[index] }
      }
    }
  }
}
