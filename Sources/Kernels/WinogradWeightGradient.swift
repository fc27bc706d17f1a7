import CKernels
import Tensors

/// Weight gradients by a Winograd plan: at each point, the products of the transformed inputs and the
/// transformed output gradients add up over the tiles, and their sum is transformed back.
///
/// Dealt out as slabs of channels times a fixed number of parts of the tiles, whose sums are added in
/// order: the result does not depend on the threads.
struct WinogradWeightGradient {
  let plan: WinogradPlan
  let input: BlockTable
  let gradient: BlockTable
  let layout: WeightLayout

  /// Channels of a slab, of inputs and of outputs: 16 products for each value transformed.
  private static let slab = 64
  // Sixteen floats more keep the points out of the same cache sets.
  private static let weightPitch = slab * slab + 16
  /// Tiles transformed at once. Fixed, because sums depend on it; 24 and 48 were equally fast.
  private static let tiles = 24
  /// Items worth having, for as many threads.
  private static let items = 32

  private struct Item {
    let group: WinogradPlan.Group
    let term: WinogradPlan.Term
    let inputs: Range<Int>
    let outputs: Range<Int>
    let part: Int
    let parts: Int
  }

  /// Adds the gradient to `dw`, whose values lie as `layout` says.
  func add(to dw: FloatSlice, on compute: Compute) {
    layout.check(dw)
    layout.check(inputs: input.channels, outputs: gradient.channels)
    let terms = termItems()
    let count = terms.reduce(0) { $0 + inputSlabs * outputSlabs * $1.parts }
    let parts = terms.map(\.parts).max() ?? 1
    // Parts but the first; the first adds to the gradient itself.
    let partial = compute.pool.take((parts - 1) * layout.count)
    let points = plan.groups.flatMap(\.terms).map(\.pointsInAll).max() ?? 0
    let perThread = points * (2 * pitch + Self.weightPitch)
    let scratch = compute.pool.take(perThread * compute.team.threads)
    FlatBlock.fill(partial.slice, with: 0, on: compute)
    compute.team.parallelFor(count) { index, thread in
      let item = item(index, of: terms)
      let target =
        item.part == 0 ? dw.pointer : partial.pointer + (item.part - 1) * layout.count
      run(item, into: target, scratch: scratch.pointer + thread * perThread)
    }
    sum(partial, parts: parts - 1, into: dw, on: compute)
  }

  private var pitch: Int { Self.tiles * Self.slab + 16 }

  /// The items of one term: pairs of slabs of channels, each with the parts of the tiles.
  private struct TermItems {
    let group: WinogradPlan.Group
    let term: WinogradPlan.Term
    /// The index of the first, counted over all terms.
    let first: Int
    let parts: Int
  }

  private var inputSlabs: Int { (layout.inputs + Self.slab - 1) / Self.slab }
  private var outputSlabs: Int { (layout.outputs + Self.slab - 1) / Self.slab }

  private func termItems() -> [TermItems] {
    let pairs = inputSlabs * outputSlabs
    let count = plan.groups.reduce(0) { $0 + $1.terms.count }
    var first = 0
    return plan.groups.flatMap { group in
      let blocks = (group.grid.voxels + Self.tiles - 1) / Self.tiles
      // Each part ends with the transform of its sum, which several blocks should pay for.
      let parts = max(1, min(blocks / 3, Self.items / (pairs * count)))
      return group.terms.map { term in
        defer { first += pairs * parts }
        return TermItems(group: group, term: term, first: first, parts: parts)
      }
    }
  }

  private func item(_ index: Int, of terms: [TermItems]) -> Item {
    let next = terms.firstIndex { $0.first > index } ?? terms.count
    let term = terms[next - 1]
    let (pair, part) = (index - term.first).quotientAndRemainder(dividingBy: term.parts)
    let input = pair / outputSlabs * Self.slab
    let output = pair % outputSlabs * Self.slab
    return Item(
      group: term.group, term: term.term,
      inputs: input..<min(input + Self.slab, layout.inputs),
      outputs: output..<min(output + Self.slab, layout.outputs), part: part, parts: term.parts)
  }

  private func run(
    _ item: Item, into dw: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let points = item.term.pointsInAll
    let outputs = scratch + points * pitch
    let sums = outputs + points * pitch
    let blocks = (item.group.grid.voxels + Self.tiles - 1) / Self.tiles
    let first = item.part * blocks / item.parts
    for block in first..<(item.part + 1) * blocks / item.parts {
      let start = block * Self.tiles
      let tiles = start..<min(start + Self.tiles, item.group.grid.voxels)
      let tilePitch = TilePitch(point: pitch, tile: Self.slab)
      input.transform(
        item.term.tiles(in: input.extent, grid: item.group.grid), range: tiles,
        channels: item.inputs, into: scratch, pitch: tilePitch)
      gradient.transform(
        item.group.tiles(in: gradient.extent), range: tiles, isGradient: true,
        channels: item.outputs, into: outputs, pitch: tilePitch)
      multiply(
        item, inputs: scratch, outputs: outputs, tiles: tiles.count, into: sums,
        accumulate: block > first)
    }
    transformBack(item, sums, into: dw)
  }

  private func multiply(
    _ item: Item, inputs: UnsafePointer<Float>, outputs: UnsafePointer<Float>, tiles: Int,
    into sums: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    var form = lk_tile_product()
    form.depth = item.inputs.count
    form.outputBlocks = item.outputs.count / 16
    form.inputPitch = pitch
    form.inputTilePitch = Self.slab
    form.outputPitch = pitch
    form.outputTilePitch = Self.slab
    form.weightPitch = Self.weightPitch
    form.weightBlockPitch = Self.slab * 16
    form.accumulate = accumulate ? 1 : 0
    item.term.points.withUnsafeBufferPointer { points in
      form.points = points.baseAddress
      form.pointCount = points.count
      lk_tile_weight_products(&form, inputs, tiles, sums, outputs)
    }
  }

  private func transformBack(
    _ item: Item, _ sums: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<item.outputs.count / 16 {
      let output = item.outputs.lowerBound + block * 16
      lk_tile_weight_gradients(
        item.term.size, sums + block * Self.slab * 16, Self.weightPitch,
        item.inputs.count, item.term.taps,
        dw + item.inputs.lowerBound * layout.inputStride + output * layout.outputStride,
        layout.inputStride, layout.outputStride)
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
