import CKernels
import Tensors

/// A convolution as small ones on tiles of 4^3 outputs, multiplied by Winograd's algorithms
/// F(4^3, 3^3) and F(4^3, 2^3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
/// 2016), which need 216 and 125 products where the kernel has 1728 and 512.
///
/// A 3^3 convolution of stride 1 is one convolution of 3^3. Of stride 2, an axis splits into its odd and
/// even samples, which two taps each read: eight convolutions of 2^3 that add up. The way back, and
/// the transposed convolution, give each parity of the outputs a convolution of 2^3 of its own.
struct WinogradPlan {
  /// One convolution of size^3 taps on a lattice of input voxels.
  struct Term {
    /// Taps along an axis, 3 or 2.
    let size: Int
    /// Positions in the stored kernel, size^3, -1 where it has none.
    let taps: [Int]
    /// The points at which the transformed weights are not zero whatever the kernel.
    let points: [Int]
    let lattice: Lattice
    /// size + 3 points along an axis.
    var pointsInAll: Int { (size + 3) * (size + 3) * (size + 3) }
  }

  /// Terms that add up to the same outputs, a lattice of them; the first has the points of all.
  struct Group {
    let terms: [Term]
    let lattice: Lattice
    /// Tiles along each axis.
    let grid: Extent
  }

  /// Every `stride`-th voxel from `origin`, z, y, x.
  struct Lattice {
    var origin: [Int]
    var stride: Int
  }

  let groups: [Group]

  /// The 3^3 convolution of stride 1, or its input gradient, which reads the kernel backwards.
  static func same(_ extent: Extent, isGradient: Bool) -> WinogradPlan {
    let axis = AxisTerm(origin: -1, taps: isGradient ? [2, 1, 0] : [0, 1, 2])
    let term = Term([axis, axis, axis], kernelSize: 3, stride: 1)
    return WinogradPlan(groups: [
      Group(terms: [term], lattice: Lattice(origin: [0, 0, 0], stride: 1), outputs: extent)
    ])
  }

  /// The convolution of stride 2 and size 3 or 4 (padding 1) whose outputs are `extent`.
  static func halving(to extent: Extent, kernelSize: Int) -> WinogradPlan {
    let axis = [AxisTerm(origin: -1, taps: [0, 2]), AxisTerm(origin: 0, taps: [1, 3])]
    let terms = parities { Term($0.map { axis[$0] }, kernelSize: kernelSize, stride: 2) }
    return WinogradPlan(groups: [
      Group(terms: terms, lattice: Lattice(origin: [0, 0, 0], stride: 1), outputs: extent)
    ])
  }

  /// Its transpose, whose outputs are `extent`.
  static func doubling(to extent: Extent, kernelSize: Int) -> WinogradPlan {
    let axis = [AxisTerm(origin: -1, taps: [3, 1]), AxisTerm(origin: 0, taps: [2, 0])]
    let groups = parities { parity in
      let count = zip(extent.zyx, parity).map { ($0 - $1 + 1) / 2 }
      return Group(
        terms: [Term(parity.map { axis[$0] }, kernelSize: kernelSize, stride: 1)],
        lattice: Lattice(origin: parity, stride: 2),
        outputs: Extent(depth: count[0], height: count[1], width: count[2]))
    }
    return WinogradPlan(groups: groups.filter { $0.grid.voxels > 0 })
  }

  /// Multiply-adds for each pair of an input and an output channel, and the transforms of its weights in
  /// as many multiply-adds as take the same time: about 16 a point, measured on AVX2.
  var cost: Double {
    groups.reduce(0) { sum, group in
      group.terms.reduce(sum) { sum, term in
        sum + 1.25 * Double(group.grid.voxels * term.points.count) + 16 * Double(term.pointsInAll)
      }
    }
  }

  private static func parities<T>(_ make: ([Int]) -> T) -> [T] {
    (0..<8).map { make([$0 / 4, $0 / 2 % 2, $0 % 2]) }
  }
}

/// One axis of a term: tap t is taps[t] of the stored kernel and reads sample t from `origin`.
private struct AxisTerm {
  var origin: Int
  var taps: [Int]
}

extension WinogradPlan.Term {
  fileprivate init(_ axes: [AxisTerm], kernelSize: Int, stride: Int) {
    let taps = axes.map { $0.taps.map { $0 < kernelSize ? $0 : -1 } }
    let size = taps[0].count
    self.size = size
    lattice = .init(origin: axes.map(\.origin), stride: stride)
    self.taps = Self.cube(Array(repeating: Array(0..<size), count: 3)) { at in
      let position = zip(taps, at).map { $0[$1] }
      return position.contains(-1)
        ? -1 : (position[0] * kernelSize + position[1]) * kernelSize + position[2]
    }
    // F(4, 2) multiplies point 0 by its first tap alone and point 4 by its second.
    let active = taps.map { axis in
      (0..<size + 3).filter { size == 3 || !($0 == 0 && axis[0] < 0 || $0 == 4 && axis[1] < 0) }
    }
    points = Self.cube(active) { ($0[0] * (size + 3) + $0[1]) * (size + 3) + $0[2] }
  }

  private static func cube(_ axes: [[Int]], _ index: ([Int]) -> Int) -> [Int] {
    axes[0].flatMap { z in axes[1].flatMap { y in axes[2].map { x in index([z, y, x]) } } }
  }

  /// The tiles of this term's inputs in a map of `extent`.
  func tiles(in extent: Extent, grid: Extent) -> lk_tiles {
    lattice.tiles(in: extent, grid: grid, taps: size)
  }
}

extension WinogradPlan.Group {
  fileprivate init(terms: [WinogradPlan.Term], lattice: WinogradPlan.Lattice, outputs: Extent) {
    self.terms = terms
    self.lattice = lattice
    grid = outputs.map { ($0 + 3) / 4 }
  }

  /// The tiles of the outputs in a map of `extent`.
  func tiles(in extent: Extent) -> lk_tiles {
    lattice.tiles(in: extent, grid: grid, taps: terms[0].size)
  }
}

extension WinogradPlan.Lattice {
  fileprivate func tiles(in extent: Extent, grid: Extent, taps: Int) -> lk_tiles {
    func tuple(_ axes: [Int]) -> (Int, Int, Int) { (axes[0], axes[1], axes[2]) }
    return lk_tiles(
      taps: taps, extent: tuple(extent.zyx), grid: tuple(grid.zyx), step: 4 * stride,
      stride: stride, origin: tuple(origin))
  }
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
