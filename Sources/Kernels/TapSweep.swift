import CKernels
import Tensors

/// One sweep over a grid of positions p: out[p * outputStride + origin] = sum over taps t of
/// W[taps[t]] in[p * inputStride + offsets[t]].
///
/// Every dense convolution and input gradient is one such sweep, or eight, one for each parity of
/// the output voxels.
struct TapSweep {
  /// Positions in the kernel, z slowest, as stored in the weights.
  var taps: [Int] = []
  /// z, y and x of each tap's offset, flat.
  var offsets: [Int] = []
  var grid: Extent
  var inputStride = 1
  var outputStride = 1
  var origin = [0, 0, 0]

  var isEmpty: Bool { grid.voxels == 0 }

  /// A convolution: output p reads voxel p * stride + t - padding.
  static func convolution(output: Extent, kernelSize k: Int, stride: Int, padding: Int) -> Self {
    var sweep = TapSweep(grid: output, inputStride: stride)
    forEachTap(k) { tap, t in
      sweep.taps.append(tap)
      sweep.offsets += t.map { $0 - padding }
    }
    return sweep
  }

  /// The transposed map: voxel q is written from p for all q = p * stride + t - padding.
  static func transposed(output: Extent, kernelSize k: Int, stride: Int, padding: Int) -> [Self] {
    var sweeps: [TapSweep] = []
    forEachTap(stride) { _, parity in
      let counts = zip(output.zyx, parity).map { ($0 - $1 + stride - 1) / stride }
      var sweep = TapSweep(
        grid: Extent(depth: counts[0], height: counts[1], width: counts[2]),
        outputStride: stride, origin: parity)
      forEachTap(k) { tap, t in
        let reach = zip(parity, t).map { $0 + padding - $1 }
        guard reach.allSatisfy({ $0 % stride == 0 }) else { return }
        sweep.taps.append(tap)
        sweep.offsets += reach.map { $0 / stride }
      }
      if !sweep.isEmpty { sweeps.append(sweep) }
    }
    return sweeps
  }

  /// Multiply-adds for each pair of channels at what gathering makes of `sgemm`'s speed, and the packing
  /// of the weights in as many as take the same time: about 150 a tap, measured on AVX2.
  var cost: Double { Double(taps.count) * (1.4 * Double(grid.voxels) + 150) }

  /// Multiply-adds of all products.
  func multiplyAdds(_ layout: WeightLayout) -> Double {
    Double(taps.count * grid.voxels) * Double(layout.inputs * layout.outputs)
  }

  private static func forEachTap(_ k: Int, _ body: (_ tap: Int, _ zyx: [Int]) -> Void) {
    for tap in 0..<k * k * k { body(tap, [tap / (k * k), tap / k % k, tap % k]) }
  }
}

/// How products are cut so that their operands stay in the second-level cache.
enum Tiling {
  /// Positions of a tile; 256 was no faster than 128 with a cache of 512 KiB, within the noise.
  static let positions = 128
  /// Floats of second-level cache, within the sizes of processors this is made for.
  private static let cacheFloats = min(max(lk_cache_bytes(), 256 << 10), 2 << 20) / 4

  /// Channel blocks of a slab, such that a tile's rows of all `taps` fit the cache.
  static func slabBlocks(taps: Int, blocks: Int) -> Int {
    min(blocks, max(1, cacheFloats / positions / (taps * FeatureMap.lanes)))
  }
}

/// The channel blocks of several maps of one extent, one after the other.
struct BlockTable: @unchecked Sendable {
  let maps: [FeatureMap]
  let pointers: [UnsafePointer<Float>?]
  let extent: Extent

  /// All `maps` must have the extent of the first.
  init(_ maps: [FeatureMap]) {
    precondition(!maps.isEmpty, "a convolution needs an input map")
    self.maps = maps
    extent = maps[0].shape.extent
    for map in maps {
      precondition(
        map.shape.extent == extent, "inputs of \(map.shape.extent) and \(extent) voxels")
    }
    pointers = maps.flatMap { map in
      (0..<map.blocks).map { map.pointer + $0 * map.blockStride }
    }
  }

  var channels: Int { pointers.count * FeatureMap.lanes }

  /// Copies grid positions of all taps of `sweep` into rows [tap][block][16].
  func gather(
    blocks: Range<Int>, sweep: TapSweep, positions: Range<Int>,
    into rows: UnsafeMutablePointer<Float>
  ) {
    pointers.withUnsafeBufferPointer { table in
      guard let base = table.baseAddress else { return }
      lk_gather(
        base + blocks.lowerBound, blocks.count, extent.zyx, sweep.grid.zyx,
        sweep.inputStride, sweep.offsets, sweep.taps.count, positions.lowerBound,
        positions.count, rows)
    }
  }
}
