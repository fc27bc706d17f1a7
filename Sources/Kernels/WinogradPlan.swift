import CKernels
import Tensors

/// A convolution as small ones on tiles of 4^3 outputs, multiplied by Winograd's algorithms.
///
/// A stride of 2 reads all samples of a tile in one transform; the way back, and the transposed
/// convolution, give each parity of the outputs a convolution of its own.
struct WinogradPlan {
  /// A convolution of every `outputs.stride`-th output.
  struct Group {
    let form: WinogradForm
    /// The first voxel of the first tile's samples, z, y, x.
    let origin: [Int]
    /// Voxels from one tile's samples to the next one's.
    let step: Int
    let outputs: Lattice
    /// The first of its taps along z, y, x.
    var firstTap = [0, 0, 0]
    /// From tap to tap.
    var tapStep = 1
  }

  /// Every `stride`-th voxel from `origin`, z, y, x.
  struct Lattice {
    var origin: [Int]
    var stride: Int
  }

  let groups: [Group]
  /// Tiles of every group along each axis.
  let grid: Extent
  /// Taps of the stored kernel along an axis.
  let kernelSize: Int
  /// Whether the kernel is read backwards.
  let isReversed: Bool

  /// The 3^3 convolution of stride 1, or its input gradient, which reads the kernel backwards.
  static func same(_ extent: Extent, isGradient: Bool) -> WinogradPlan {
    WinogradPlan(.same, step: 4, outputs: extent, kernelSize: 3, isReversed: isGradient)
  }

  /// The convolution of stride 2 and size 3 or 4 (padding 1) whose outputs are `extent`.
  static func halving(to extent: Extent, kernelSize: Int) -> WinogradPlan {
    WinogradPlan(
      kernelSize == 3 ? .halving3 : .halving4, step: 8, outputs: extent, kernelSize: kernelSize,
      isReversed: false)
  }

  /// Its transpose, whose outputs are `extent`.
  ///
  /// Output 2 j + parity is read by the taps of the other parity, backwards: of 4 taps two each, of 3
  /// taps the middle one (even outputs) or the outer two (odd outputs).
  static func doubling(to extent: Extent, kernelSize: Int) -> WinogradPlan {
    let groups = (0..<8).map { index in
      let parity = [index / 4, index / 2 % 2, index % 2]
      let hasOneTap = parity.map { kernelSize == 3 && $0 == 0 }
      return Group(
        form: .doubling(oneTap: hasOneTap), origin: parity.map { kernelSize == 4 ? $0 - 1 : 0 },
        step: 4, outputs: Lattice(origin: parity, stride: 2),
        firstTap: parity.map { kernelSize == 4 ? $0 : 1 - $0 }, tapStep: 2)
    }
    return WinogradPlan(
      groups: groups.filter { zip($0.outputs.origin, extent.zyx).allSatisfy { $0 < $1 } },
      grid: extent.map { ($0 + 7) / 8 }, kernelSize: kernelSize, isReversed: true)
  }

  /// Multiply-adds for each pair of an input and an output channel, and the transforms of its weights in
  /// as many multiply-adds as take the same time: about 16 a point, measured on AVX2.
  var cost: Double {
    groups.reduce(0) { sum, group in
      sum + 1.25 * Double(grid.voxels * group.form.byOutput.count)
        + 16 * Double(group.form.weightPoints)
    }
  }

  /// Multiply-adds of all products, those of the transforms not counted.
  func multiplyAdds(_ layout: WeightLayout) -> Double {
    let products = groups.reduce(0) { $0 + grid.voxels * $1.form.byOutput.count }
    return Double(products) * Double(layout.inputs * layout.outputs)
  }

  /// The kernel's taps that a group reads, of weights that lie as `layout` says.
  func taps(of group: Group, _ layout: WeightLayout) -> lk_tile_taps {
    lk_tile_taps(
      form: group.form.cCode, size: kernelSize, inputStride: layout.inputStride,
      outputStride: layout.outputStride, isReversed: isReversed ? 1 : 0,
      first: tuple(group.firstTap), step: group.tapStep)
  }

  /// The tiles of a group's samples in a map of `extent`.
  func inputTiles(of group: Group, in extent: Extent) -> lk_tiles {
    lk_tiles(
      form: group.form.cCode, extent: tuple(extent.zyx), grid: tuple(grid.zyx), step: group.step,
      stride: 1, origin: tuple(group.origin))
  }

  /// The tiles of a group's outputs in a map of `extent`.
  func outputTiles(of group: Group, in extent: Extent) -> lk_tiles {
    let lattice = group.outputs
    return lk_tiles(
      form: group.form.cCode, extent: tuple(extent.zyx), grid: tuple(grid.zyx),
      step: 4 * lattice.stride, stride: lattice.stride, origin: tuple(lattice.origin))
  }

  private func tuple(_ axes: [Int]) -> (Int, Int, Int) { (axes[0], axes[1], axes[2]) }
}

extension WinogradPlan {
  /// One group that writes every output; padding 1.
  private init(
    _ form: WinogradForm, step: Int, outputs: Extent, kernelSize: Int, isReversed: Bool
  ) {
    groups = [
      Group(
        form: form, origin: [-1, -1, -1], step: step,
        outputs: Lattice(origin: [0, 0, 0], stride: 1))
    ]
    grid = outputs.map { ($0 + 3) / 4 }
    self.kernelSize = kernelSize
    self.isReversed = isReversed
  }
}

extension WinogradForm {
  fileprivate var cCode: Int { Int(code.rawValue) }
}

/// How the points of transformed tiles lie in memory, in floats.
struct TilePitch {
  /// From point to point.
  var point: Int
  /// From tile to tile of a point.
  var tile: Int
}

extension BlockTable {
  /// Transforms the tiles `range` of `channels` into [point][tile][channel], as inputs or as gradients
  /// of outputs.
  func transform(
    _ tiles: lk_tiles, range: Range<Int>, isGradient: Bool = false, channels: Range<Int>,
    into points: UnsafeMutablePointer<Float>, pitch: TilePitch
  ) {
    var tiles = tiles
    for block in channels.lowerBound / 16..<channels.upperBound / 16 {
      lk_tiles_in(
        &tiles, isGradient ? 1 : 0, pointers[block], range.lowerBound, range.count,
        points + block * 16 - channels.lowerBound, pitch.point, pitch.tile)
    }
  }
}
