import CKernels
import Tensors

/// Forward passes and input gradients by a Winograd plan: transform a block of tiles, multiply it by the
/// transformed weights at each point, transform back.
///
/// The products are our own: six tiles by 16 outputs (AVX2) stay in registers, and the operands lie in
/// the order in which they are read, so nothing is packed. On a 2-core AVX2 machine (101 GFLOP/s a
/// core) they ran at 87-93 GFLOP/s for 32 and 64 channels, where OpenBLAS' sgemm packs every one.
struct WinogradProduct {
  let plan: WinogradPlan
  let input: BlockTable
  let weight: FloatSlice
  let layout: WeightLayout
  let bias: FloatSlice?

  /// A map of `shape` and, per channel, the moments of its values.
  func callAsFunction(_ shape: Shape, on compute: Compute) -> (FeatureMap, ChannelMoments) {
    layout.check(weight)
    layout.check(inputs: input.channels, outputs: shape.channels)
    var map = FeatureMap(uninitialized: shape, from: compute.pool)
    let out = map.mutablePointer()
    var moments = ChannelMoments(channels: shape.channels)
    for group in plan.groups {
      let pass = WinogradPass(product: self, group: group, compute: compute)
      moments.add(pass.run(into: out, extent: shape.extent))
    }
    return (map, moments)
  }
}

/// The work on one group of outputs.
private struct WinogradPass {
  let product: WinogradProduct
  let group: WinogradPlan.Group
  let compute: Compute
  let cut: Cut
  /// The transformed weights of all terms, if there are several blocks of tiles to share them.
  let weights: FloatBuffer?

  /// How the work is dealt out; sums do not depend on it, so it may look at the threads.
  struct Cut {
    let points: Int
    /// Tiles of a block.
    let tiles: Int
    let tileBlocks: Int
    /// Input channels that are multiplied at once.
    let slab: Int
    /// Blocks of 16 output channels of an item.
    var outputBlocks: Int

    init(group: WinogradPlan.Group, layout: WeightLayout, threads: Int) {
      sharedWeightPitch = layout.inputs * layout.outputs + 16
      let count = group.grid.voxels
      points = group.terms[0].pointsInAll
      let isSingle = count <= WinogradTiling.sharingLimit
      slab = min(layout.inputs, isSingle ? 32 : 64)
      outputBlocks = min(layout.outputs / 16, 8)
      tiles =
        isSingle
        ? count : WinogradTiling.tiles(points: points, channels: slab + outputBlocks * 16)
      tileBlocks = (count + tiles - 1) / tiles
      let wanted = threads == 1 ? 1 : 3 * threads
      while outputBlocks > 1 && tileBlocks * (layout.outputs / 16) / outputBlocks < wanted {
        outputBlocks = (outputBlocks + 1) / 2
      }
    }

    // Sixteen floats more keep the points of a tile out of the same cache sets.
    var inputPitch: Int { tiles * slab + 16 }
    var outputPitch: Int { tiles * outputBlocks * 16 + 16 }
    var ownWeightPitch: Int { slab * 16 + 16 }
    let sharedWeightPitch: Int
  }

  init(product: WinogradProduct, group: WinogradPlan.Group, compute: Compute) {
    self.product = product
    self.group = group
    self.compute = compute
    let layout = product.layout
    let cut = Cut(group: group, layout: layout, threads: compute.team.threads)
    self.cut = cut
    guard cut.tileBlocks > 1 else {
      weights = nil
      return
    }
    let perTerm = cut.points * cut.sharedWeightPitch
    let buffer = compute.pool.take(group.terms.count * perTerm)
    let outputBlocks = layout.outputs / 16
    let inputBlocks = layout.inputs / 16
    compute.team.parallelFor(group.terms.count * outputBlocks * inputBlocks) { item, _ in
      let (pair, inputBlock) = item.quotientAndRemainder(dividingBy: inputBlocks)
      let (term, outputBlock) = pair.quotientAndRemainder(dividingBy: outputBlocks)
      let start = term * perTerm + (outputBlock * layout.inputs + inputBlock * 16) * 16
      product.transformWeights(
        group.terms[term], inputs: inputBlock * 16..<inputBlock * 16 + 16, output: outputBlock,
        into: buffer.pointer + start, pitch: cut.sharedWeightPitch)
    }
    weights = buffer
  }

  func run(into out: UnsafeMutablePointer<Float>, extent: Extent) -> ChannelMoments {
    let outputSlabs = (product.layout.outputs / 16 + cut.outputBlocks - 1) / cut.outputBlocks
    let moments = PartialLaneSums(
      count: 2, parts: cut.tileBlocks, channels: product.layout.outputs, on: compute)
    let inputFloats = cut.points * cut.inputPitch
    let outputFloats = cut.points * cut.outputPitch
    let weightFloats = weights == nil ? cut.points * cut.ownWeightPitch : 0
    let perThread = inputFloats + outputFloats + weightFloats
    let scratch = compute.pool.take(perThread * compute.team.threads)
    for thread in 0..<compute.team.threads {
      clearOutputs(scratch.pointer + thread * perThread + inputFloats)
    }
    compute.team.parallelFor(cut.tileBlocks * outputSlabs) { item, thread in
      let (tileBlock, slab) = item.quotientAndRemainder(dividingBy: outputSlabs)
      let first = slab * cut.outputBlocks
      let inputs = scratch.pointer + thread * perThread
      let work = Item(
        tiles: tileBlock * cut.tiles..<min((tileBlock + 1) * cut.tiles, group.grid.voxels),
        outputBlocks: first..<min(first + cut.outputBlocks, product.layout.outputs / 16),
        inputs: inputs, outputs: inputs + inputFloats,
        weights: inputs + inputFloats + outputFloats)
      multiply(work)
      finish(work, into: out, extent: extent) { moments.pointer(part: tileBlock, block: $0) }
    }
    return ChannelMoments(moments)
  }

  private struct Item {
    let tiles: Range<Int>
    let outputBlocks: Range<Int>
    let inputs: UnsafeMutablePointer<Float>
    let outputs: UnsafeMutablePointer<Float>
    let weights: UnsafeMutablePointer<Float>
  }

  private func multiply(_ item: Item) {
    for (index, term) in group.terms.enumerated() {
      for start in stride(from: 0, to: product.layout.inputs, by: cut.slab) {
        let channels = start..<min(start + cut.slab, product.layout.inputs)
        product.input.transform(
          term.tiles(in: product.input.extent, grid: group.grid), range: item.tiles,
          channels: channels, into: item.inputs,
          pitch: TilePitch(point: cut.inputPitch, tile: cut.slab))
        var form = lk_tile_product()
        form.depth = channels.count
        form.inputPitch = cut.inputPitch
        form.inputTilePitch = cut.slab
        form.outputPitch = cut.outputPitch
        form.outputTilePitch = cut.outputBlocks * 16
        form.accumulate = index > 0 || start > 0 ? 1 : 0
        term.points.withUnsafeBufferPointer { points in
          form.points = points.baseAddress
          form.pointCount = points.count
          multiply(item, term: index, channels: channels, form)
        }
      }
    }
  }

  // Points that no term has are written by nobody and read as zero.
  private func clearOutputs(_ outputs: UnsafeMutablePointer<Float>) {
    guard group.terms[0].points.count < cut.points else { return }
    outputs.update(repeating: 0, count: cut.points * cut.outputPitch)
  }

  private func multiply(
    _ item: Item, term: Int, channels: Range<Int>, _ form: lk_tile_product
  ) {
    var form = form
    let layout = product.layout
    if let weights {
      form.outputBlocks = item.outputBlocks.count
      form.weightPitch = cut.sharedWeightPitch
      form.weightBlockPitch = layout.inputs * 16
      let start =
        term * cut.points * form.weightPitch
        + (item.outputBlocks.lowerBound * layout.inputs + channels.lowerBound) * 16
      lk_tile_products(
        &form, item.inputs, item.tiles.count, weights.pointer + start, item.outputs)
      return
    }
    form.outputBlocks = 1
    form.weightPitch = cut.ownWeightPitch
    for (index, block) in item.outputBlocks.enumerated() {
      product.transformWeights(
        group.terms[term], inputs: channels, output: block, into: item.weights,
        pitch: form.weightPitch)
      lk_tile_products(
        &form, item.inputs, item.tiles.count, item.weights, item.outputs + index * 16)
    }
  }

  private func finish(
    _ item: Item, into out: UnsafeMutablePointer<Float>, extent: Extent,
    moments: (_ block: Int) -> UnsafeMutablePointer<Double>
  ) {
    var tiles = group.tiles(in: extent)
    for (index, block) in item.outputBlocks.enumerated() {
      lk_tiles_out(
        &tiles, item.outputs + index * 16, cut.outputPitch, cut.outputBlocks * 16,
        item.tiles.lowerBound, item.tiles.count,
        product.bias.map { UnsafePointer($0.pointer + block * 16) },
        out + block * 16 * extent.voxels, moments(block))
    }
  }
}

extension WinogradProduct {
  /// Transforms the weights of a term into [point][input][16], points `pitch` floats apart.
  fileprivate func transformWeights(
    _ term: WinogradPlan.Term, inputs: Range<Int>, output block: Int,
    into points: UnsafeMutablePointer<Float>, pitch: Int
  ) {
    lk_tile_weights(
      term.size,
      weight.pointer + inputs.lowerBound * layout.inputStride + block * 16 * layout.outputStride,
      layout.inputStride, layout.outputStride, term.taps, inputs.count, points, pitch)
  }
}

/// How many tiles are worked on at once.
enum WinogradTiling {
  /// Up to as many tiles are one block, which transforms the weights as it goes: the weights outweigh the
  /// voxels, and the transformed ones would go to memory and back.
  static let sharingLimit = 64

  /// Tiles of a block whose transformed inputs and outputs, of `channels` together, stay in cache.
  ///
  /// Multiples of all kernels' groups of rows. Larger caches than 4 MiB a core gained nothing.
  static func tiles(points: Int, channels: Int) -> Int {
    let bytes = min(max(lk_cache_bytes(), lk_shared_cache_bytes()), 4 << 20)
    return [48, 24].first { $0 * points * channels * 4 <= bytes } ?? 12
  }
}
