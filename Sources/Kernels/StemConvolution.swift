import CKernels
import Tensors

/// A 3^3 convolution of stride 1 and padding 1 on a planar image; weights [O][C][3][3][3].
package enum StemConvolution {
  /// y[o, p] = bias[o] + sum over c, t of weight[o, c, t] image[c, p + t - 1].
  package static func forward(
    _ image: VoxelGrid, weight: FloatSlice, bias: FloatSlice, outputs: Int, on compute: Compute
  ) -> FeatureMap {
    let depth = check(image, weight: weight, bias: bias, outputs: outputs)
    let extent = image.shape.extent
    compute.note(multiplyAdds: Double(extent.voxels * depth * outputs))
    var map = FeatureMap(
      uninitialized: Shape(channels: outputs, extent: extent), from: compute.pool)
    let out = map.mutablePointer()
    let perThread = Tiling.positions * (depth + outputs)
    let scratch = compute.pool.take(perThread * compute.team.threads)
    compute.team.parallelFor(tiles(extent)) { index, thread in
      let columns = scratch.pointer + thread * perThread
      let tile = columns + Tiling.positions * depth
      let positions = gather(image, tile: index, into: columns)
      MatrixProduct(
        rows: positions.count, columns: outputs, depth: depth, transposeA: true, transposeB: true)(
          columns, pitch: positions.count, weight.pointer, pitch: depth, into: tile, pitch: outputs,
          accumulate: false)
      lk_scatter(
        tile, outputs, bias.pointer, outputs / 16, extent.zyx, extent.zyx, 1, [0, 0, 0],
        positions.lowerBound, positions.count, out)
    }
    return map
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ image: VoxelGrid, _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice,
    on compute: Compute
  ) {
    let outputs = dy.shape.channels
    let depth = check(image, weight: dw, bias: db, outputs: outputs)
    compute.note(multiplyAdds: Double(image.shape.extent.voxels * depth * outputs))
    let tiles = tiles(image.shape.extent)
    let parts = min(tiles, 32)
    let sums = compute.pool.take(parts * dw.count)
    let perThread = Tiling.positions * (depth + outputs)
    let scratch = compute.pool.take(perThread * compute.team.threads)
    let gradient = BlockTable([dy])
    compute.team.parallelFor(parts) { part, thread in
      let columns = scratch.pointer + thread * perThread
      let firstTile = part * tiles / parts
      for tile in firstTile..<(part + 1) * tiles / parts {
        add(
          image, gradient, tile: tile, columns: columns, depth: depth,
          to: sums.pointer + part * dw.count, accumulate: tile > firstTile)
      }
    }
    for part in 0..<parts {
      for index in 0..<dw.count {
        dw.mutableValues[index] += sums.pointer[part * dw.count + index]
      }
    }
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func add(
    _ image: VoxelGrid, _ gradient: BlockTable, tile: Int, columns: UnsafeMutablePointer<Float>,
    depth: Int, to sums: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    let positions = gather(image, tile: tile, into: columns)
    let rows = columns + Tiling.positions * depth
    gradient.gather(
      blocks: 0..<gradient.pointers.count,
      sweep: TapSweep(taps: [0], offsets: [0, 0, 0], grid: gradient.extent),
      positions: positions, into: rows)
    MatrixProduct(
      rows: gradient.channels, columns: depth, depth: positions.count, transposeA: true,
      transposeB: true)(
        rows, pitch: gradient.channels, columns, pitch: positions.count, into: sums, pitch: depth,
        accumulate: accumulate)
  }

  private static func tiles(_ extent: Extent) -> Int {
    (extent.voxels + Tiling.positions - 1) / Tiling.positions
  }

  private static func gather(
    _ image: VoxelGrid, tile: Int, into columns: UnsafeMutablePointer<Float>
  ) -> Range<Int> {
    let extent = image.shape.extent
    let start = tile * Tiling.positions
    let positions = start..<min(start + Tiling.positions, extent.voxels)
    lk_gather_planar(
      image.values.baseAddress, image.shape.channels, extent.zyx, 3, start, positions.count,
      columns)
    return positions
  }

  // The length of a weight's row.
  private static func check(
    _ image: VoxelGrid, weight: FloatSlice, bias: FloatSlice, outputs: Int
  ) -> Int {
    let depth = image.shape.channels * 27
    precondition(
      weight.count == outputs * depth && bias.count == outputs && image.shape.extent.voxels > 0,
      "\(weight.count) weights and \(bias.count) biases for \(outputs) outputs of \(image.shape)")
    return depth
  }
}
