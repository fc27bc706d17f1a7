import CKernels
import Tensors

/// Forward passes and input gradients by a Winograd plan: transform a block of tiles, multiply it by the
/// transformed weights, transform the sums back.
///
/// The products are our own: six tiles by 16 outputs (AVX2) stay in registers while all products of a
/// sum go by, and the operands lie in the order in which they are read, so nothing is packed. On a
/// 2-core AVX2 machine (101 GFLOP/s a core) they ran at 87-93 GFLOP/s for 32 and 64 channels, where
/// OpenBLAS' sgemm packs every one.
struct WinogradProduct {
  let plan: WinogradPlan
  let input: BlockTable
  let weight: FloatSlice
  let layout: WeightLayout
  let bias: FloatSlice?
  let withMoments: Bool

  /// A map of `shape` and, if asked for, the moments of each channel.
  func callAsFunction(_ shape: Shape, on compute: Compute) -> (FeatureMap, ChannelMoments?) {
    layout.check(weight)
    layout.check(inputs: input.channels, outputs: shape.channels)
    compute.note(multiplyAdds: plan.multiplyAdds(layout))
    var map = FeatureMap(uninitialized: shape, from: compute.pool)
    let out = map.mutablePointer()
    var moments = withMoments ? ChannelMoments(channels: shape.channels) : nil
    for groups in groupsAtOnce {
      let pass = WinogradPass(product: self, groups: groups, compute: compute)
      if let partial = pass.run(into: out, extent: shape.extent) { moments?.add(partial) }
    }
    return (map, moments)
  }

  /// All groups in one pass, which reads and writes each part of the maps once, if their transformed
  /// weights stay in cache meanwhile; else a pass for each.
  private var groupsAtOnce: [ArraySlice<WinogradPlan.Group>] {
    let points = plan.groups.reduce(0) { $0 + $1.form.weightPoints }
    let bytes = points * layout.inputs * layout.outputs * 4
    if bytes <= lk_shared_cache_bytes() { return [plan.groups[...]] }
    return plan.groups.indices.map { plan.groups[$0...$0] }
  }
}

/// The work on groups of outputs that share the blocks of tiles.
private struct WinogradPass {
  let product: WinogradProduct
  let groups: ArraySlice<WinogradPlan.Group>
  let compute: Compute
  let cut: Cut
  /// The transformed weights of each group, if there are several blocks of tiles to share them.
  let weights: [FloatBuffer]

  /// How the work is dealt out; sums do not depend on it, so it may look at the threads.
  struct Cut {
    /// The most points of a group.
    let inputPoints: Int
    let outputPoints: Int
    /// Tiles of a block.
    let tiles: Int
    let tileBlocks: Int
    /// Input channels that are multiplied at once.
    let slab: Int
    /// Blocks of 16 output channels of an item.
    var outputBlocks: Int

    init(
      groups: ArraySlice<WinogradPlan.Group>, tiles count: Int, layout: WeightLayout, threads: Int
    ) {
      sharedWeightPitch = layout.inputs * layout.outputs + 16
      inputPoints = groups.map(\.form.inputPoints).max() ?? 0
      outputPoints = groups.map(\.form.outputPoints).max() ?? 0
      let isSingle = count <= WinogradTiling.sharingLimit
      slab = min(layout.inputs, WinogradTiling.slab(points: inputPoints, isSingle: isSingle))
      outputBlocks = min(layout.outputs / 16, 8)
      tiles =
        isSingle
        ? count
        : WinogradTiling.tiles(
          of: count, floats: inputPoints * slab + outputPoints * outputBlocks * 16)
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

  init(product: WinogradProduct, groups: ArraySlice<WinogradPlan.Group>, compute: Compute) {
    self.product = product
    self.groups = groups
    self.compute = compute
    let cut = Cut(
      groups: groups, tiles: product.plan.grid.voxels, layout: product.layout,
      threads: compute.team.threads)
    self.cut = cut
    weights =
      cut.tileBlocks == 1
      ? []
      : groups.map { product.transformedWeights($0, pitch: cut.sharedWeightPitch, on: compute) }
  }

  func run(into out: UnsafeMutablePointer<Float>, extent: Extent) -> ChannelMoments? {
    let outputSlabs = (product.layout.outputs / 16 + cut.outputBlocks - 1) / cut.outputBlocks
    let moments =
      product.withMoments
      ? PartialLaneSums(
        count: 2, parts: cut.tileBlocks, channels: product.layout.outputs, on: compute) : nil
    let inputFloats = cut.inputPoints * cut.inputPitch
    let outputFloats = cut.outputPoints * cut.outputPitch
    let weightPoints = groups.map(\.form.weightPoints).max() ?? 0
    let weightFloats = weights.isEmpty ? weightPoints * cut.ownWeightPitch : 0
    let perThread = inputFloats + outputFloats + weightFloats
    let scratch = compute.pool.take(perThread * compute.team.threads)
    compute.team.parallelFor(cut.tileBlocks * outputSlabs) { item, thread in
      let (tileBlock, slab) = item.quotientAndRemainder(dividingBy: outputSlabs)
      let first = slab * cut.outputBlocks
      let inputs = scratch.pointer + thread * perThread
      let tiles = product.plan.grid.voxels
      let work = Item(
        tiles: tileBlock * cut.tiles..<min((tileBlock + 1) * cut.tiles, tiles),
        outputBlocks: first..<min(first + cut.outputBlocks, product.layout.outputs / 16),
        inputs: inputs, outputs: inputs + inputFloats,
        weights: inputs + inputFloats + outputFloats)
      for (index, group) in groups.enumerated() {
        multiply(work, group, shared: weights.isEmpty ? nil : weights[index])
        finish(work, group, into: out, extent: extent) {
          moments?.pointer(part: tileBlock, block: $0)
        }
      }
    }
    return moments.map(ChannelMoments.init)
  }

  private struct Item {
    let tiles: Range<Int>
    let outputBlocks: Range<Int>
    let inputs: UnsafeMutablePointer<Float>
    let outputs: UnsafeMutablePointer<Float>
    let weights: UnsafeMutablePointer<Float>
  }

  private func multiply(_ item: Item, _ group: WinogradPlan.Group, shared: FloatBuffer?) {
    let tiles = product.plan.inputTiles(of: group, in: product.input.extent)
    for start in stride(from: 0, to: product.layout.inputs, by: cut.slab) {
      let channels = start..<min(start + cut.slab, product.layout.inputs)
      product.input.transform(
        tiles, range: item.tiles, channels: channels, into: item.inputs,
        pitch: TilePitch(point: cut.inputPitch, tile: cut.slab))
      var form = lk_tile_product()
      form.depth = channels.count
      form.inputPitch = cut.inputPitch
      form.inputTilePitch = cut.slab
      form.outputPitch = cut.outputPitch
      form.outputTilePitch = cut.outputBlocks * 16
      form.accumulate = start > 0 ? 1 : 0
      group.form.byOutput.withUnsafeBufferPointer { products in
        form.products = products.baseAddress
        form.productCount = products.count
        if let shared {
          multiply(item, channels: channels, shared: shared, form)
        } else {
          multiply(item, group, channels: channels, form)
        }
      }
    }
  }

  private func multiply(
    _ item: Item, channels: Range<Int>, shared: FloatBuffer, _ form: lk_tile_product
  ) {
    var form = form
    let inputs = product.layout.inputs
    form.outputBlocks = item.outputBlocks.count
    form.weightPitch = cut.sharedWeightPitch
    form.weightBlockPitch = inputs * 16
    let start = (item.outputBlocks.lowerBound * inputs + channels.lowerBound) * 16
    lk_tile_products(
      &form, item.inputs, item.tiles.count, shared.pointer + start, item.outputs)
  }

  /// Transforms the weights as it goes.
  private func multiply(
    _ item: Item, _ group: WinogradPlan.Group, channels: Range<Int>, _ form: lk_tile_product
  ) {
    var form = form
    form.outputBlocks = 1
    form.weightPitch = cut.ownWeightPitch
    for (index, block) in item.outputBlocks.enumerated() {
      product.transformWeights(
        group, inputs: channels, output: block, into: item.weights, pitch: form.weightPitch)
      lk_tile_products(
        &form, item.inputs, item.tiles.count, item.weights, item.outputs + index * 16)
    }
  }

  private func finish(
    _ item: Item, _ group: WinogradPlan.Group, into out: UnsafeMutablePointer<Float>,
    extent: Extent, moments: (_ block: Int) -> UnsafeMutablePointer<Double>?
  ) {
    var tiles = product.plan.outputTiles(of: group, in: extent)
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
  /// All transformed weights of a group, [point][output block][input][16], points `pitch` floats apart.
  fileprivate func transformedWeights(
    _ group: WinogradPlan.Group, pitch: Int, on compute: Compute
  ) -> FloatBuffer {
    let buffer = compute.pool.take(group.form.weightPoints * pitch)
    let inputBlocks = layout.inputs / 16
    compute.team.parallelFor(layout.outputs / 16 * inputBlocks) { item, _ in
      let (output, input) = item.quotientAndRemainder(dividingBy: inputBlocks)
      transformWeights(
        group, inputs: input * 16..<input * 16 + 16, output: output,
        into: buffer.pointer + (output * layout.inputs + input * 16) * 16, pitch: pitch)
    }
    return buffer
  }

  /// Transforms weights of a group into [point][input][16], points `pitch` floats apart.
  fileprivate func transformWeights(
    _ group: WinogradPlan.Group, inputs: Range<Int>, output block: Int,
    into points: UnsafeMutablePointer<Float>, pitch: Int
  ) {
    var taps = plan.taps(of: group, layout)
    lk_tile_weights(
      &taps,
      weight.pointer + inputs.lowerBound * layout.inputStride + block * 16 * layout.outputStride,
      inputs.count, points, pitch)
  }
}

/// How many tiles are worked on at once.
enum WinogradTiling {
  /// Up to as many tiles are one block, which transforms the weights as it goes: the weights outweigh the
  /// voxels, and the transformed ones would go to memory and back.
  static let sharingLimit = 64

  /// Input channels multiplied at once: of many points fewer, so that a block has enough tiles for the
  /// weights that it reads.
  static func slab(points: Int, isSingle: Bool) -> Int {
    switch points {
    case ...216: isSingle ? 32 : 64
    case ...729: isSingle ? 16 : 32
    default: 16
    }
  }

  /// Tiles of a block that stay in cache, of which each takes so many `floats` when transformed;
  /// where there are few blocks of `count` tiles they are an even number.
  ///
  /// Multiples of all kernels' groups of rows. Larger caches than 5 MiB a core gained nothing.
  static func tiles(of count: Int, floats: Int) -> Int {
    let bytes = min(max(lk_cache_bytes(), lk_shared_cache_bytes()), 5 << 20)
    let most = [48, 24].first { $0 * floats * 4 <= bytes } ?? 12
    let blocks = (count + most - 1) / most
    return blocks > 24 ? most : (count + even(blocks) - 1) / even(blocks)
  }

  /// The next number of items that two threads share equally.
  static func even(_ items: Int) -> Int { (items + 1) / 2 * 2 }
}
