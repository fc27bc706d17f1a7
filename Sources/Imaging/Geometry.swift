import Tensors

/// The map from voxel indices (x, y, z) to RAS millimeters: `origin + x axes[0] + y axes[1] + …`.
package struct Affine: Codable, Equatable, Sendable {
  /// The step in mm (right, anterior, superior) of one voxel along x, y and z.
  package var axes: [SIMD3<Double>]
  /// The position in mm of the center of voxel (0, 0, 0).
  package var origin: SIMD3<Double>

  /// An affine of three axes and an origin, all in mm.
  package init(axes: [SIMD3<Double>], origin: SIMD3<Double>) {
    precondition(axes.count == 3, "an affine has 3 axes, not \(axes.count)")
    self.axes = axes
    self.origin = origin
  }

  /// An affine from its first three rows of four numbers; further rows are ignored.
  package init(rows: [[Double]]) {
    precondition(
      rows.count >= 3 && rows.prefix(3).allSatisfy { $0.count == 4 }, "\(rows) is not 3 x 4")
    func column(_ index: Int) -> SIMD3<Double> {
      SIMD3(rows[0][index], rows[1][index], rows[2][index])
    }
    self.init(axes: (0..<3).map(column), origin: column(3))
  }

  /// The affine of an unrotated grid with its first voxel at the origin; `spacing` is x, y, z mm.
  package init(spacing: [Double]) {
    precondition(spacing.count == 3, "spacing has 3 values, not \(spacing.count)")
    self.init(
      axes: [[spacing[0], 0, 0], [0, spacing[1], 0], [0, 0, spacing[2]]], origin: .zero)
  }

  /// The first three rows, four numbers each.
  package var rows: [[Double]] {
    (0..<3).map { row in axes.map { $0[row] } + [origin[row]] }
  }

  /// The distance in mm between neighboring voxels along x, y and z.
  package var spacing: [Double] { axes.map { ($0 * $0).sum().squareRoot() } }

  /// The position in mm of a voxel, which may lie between grid points.
  package func position(x: Double, y: Double, z: Double) -> SIMD3<Double> {
    origin + axes[0] * x + axes[1] * y + axes[2] * z
  }

  /// The signed volume of a voxel in mm^3; zero when the axes are not independent.
  package var determinant: Double {
    let (a, b, c) = (axes[0], axes[1], axes[2])
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
      + a[2] * (b[0] * c[1] - b[1] * c[0])
  }
}

/// Where a voxel grid lies in space.
package struct Geometry: Codable, Equatable, Sendable {
  /// The number of voxels.
  package var extent: Extent
  /// Voxel (x, y, z) to RAS millimeters.
  package var affine: Affine
  /// Whether the place in space is known; false for a file with spacing but no sform or qform.
  package var isPlaced: Bool

  package init(extent: Extent, affine: Affine, isPlaced: Bool = true) {
    self.extent = extent
    self.affine = affine
    self.isPlaced = isPlaced
  }

  /// The distance in mm between neighboring voxels along x, y and z.
  package var spacing: [Double] { affine.spacing }

  /// Whether two grids have the same voxels: equal sizes, and every axis end and the origin within
  /// `tolerance` of the smallest spacing.
  package func matches(_ other: Geometry, tolerance: Double = 1e-2) -> Bool {
    guard extent == other.extent else { return false }
    let limit = tolerance * (spacing.min() ?? 0)
    func isNear(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Bool {
      let difference = a - b
      return (difference * difference).sum().squareRoot() <= limit
    }
    return isNear(affine.origin, other.affine.origin)
      && (0..<3).allSatisfy { axis in
        let steps = Double(max(1, extent.xyz[axis] - 1))
        return isNear(affine.axes[axis] * steps, other.affine.axes[axis] * steps)
      }
  }

  /// In words what keeps two grids from having the same voxels.
  func difference(from other: Geometry) -> String {
    extent == other.extent
      ? "their affines differ (\(affine.rows) and \(other.affine.rows))"
      : "their sizes are \(extent) and \(other.extent)"
  }

  /// The part of this grid inside `box`.
  package func cropped(to box: VoxelBox) -> Geometry {
    let corner = box.lower.map(Double.init)
    return Geometry(
      extent: box.extent,
      affine: Affine(
        axes: affine.axes, origin: affine.position(x: corner[0], y: corner[1], z: corner[2])))
  }

  /// The grid with `extent` voxels that fills the same space (outer faces aligned).
  package func resized(to extent: Extent) -> Geometry {
    let ratio = zip(self.extent.xyz, extent.xyz).map { Double($0) / Double($1) }
    let first = ratio.map { ($0 - 1) / 2 }
    return Geometry(
      extent: extent,
      affine: Affine(
        axes: zip(affine.axes, ratio).map { $0 * $1 },
        origin: affine.position(x: first[0], y: first[1], z: first[2])))
  }
}

/// A box of voxels within a grid.
package struct VoxelBox: Codable, Hashable, Sendable {
  /// The first voxel as x, y, z.
  package var lower: [Int]
  /// The number of voxels.
  package var extent: Extent

  package init(lower: [Int], extent: Extent) {
    precondition(lower.count == 3, "a box corner has 3 values, not \(lower.count)")
    self.lower = lower
    self.extent = extent
  }
}

extension Extent {
  /// An extent from its sizes along x, y and z.
  package init(xyz: [Int]) {
    precondition(xyz.count == 3, "an extent has 3 sizes, not \(xyz.count)")
    self.init(depth: xyz[2], height: xyz[1], width: xyz[0])
  }
}
