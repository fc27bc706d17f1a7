import Foundation
import Tensors

/// Where in a volume each voxel of a patch is read: rotation, scaling and deformation in one.
package struct SpatialMap: Sendable {
  /// The patch's size.
  let extent: Extent
  /// The place in the volume of the patch's center, in voxels along x, y, z.
  private let center: SIMD3<Double>
  /// The steps in the volume of one voxel along the patch's x, y and z.
  private let steps: [SIMD3<Double>]
  private let elastic: ElasticField?

  /// A map for the patch that lies at `window` without it.
  ///
  /// - Parameters:
  ///   - angles: radians about x, y and z in that order, right-handed in mm.
  ///   - scale: how many times larger things appear.
  ///   - spacing: mm along x, y, z; angles are those of space, not of the grid.
  package init(
    _ window: PatchWindow, angles: SIMD3<Double> = .zero, scale: Double = 1,
    elastic: ElasticField? = nil, spacing: SIMD3<Double>
  ) {
    extent = window.extent
    let size = SIMD3(window.extent.xyz.map { Double($0 - 1) })
    center =
      SIMD3(Double(window.corner.x), Double(window.corner.y), Double(window.corner.z))
      + size / 2
    steps = (0..<3).map { axis in
      var step = SIMD3<Double>.zero
      step[axis] = spacing[axis]
      return Self.rotated(step, by: angles) / spacing / scale
    }
    self.elastic = elastic
  }

  private static func rotated(_ v: SIMD3<Double>, by angles: SIMD3<Double>) -> SIMD3<Double> {
    var v = v
    for axis in 0..<3 {
      let (a, b) = ((axis + 1) % 3, (axis + 2) % 3)
      let (cosine, sine) = (cos(angles[axis]), sin(angles[axis]))
      (v[a], v[b]) = (cosine * v[a] - sine * v[b], sine * v[a] + cosine * v[b])
    }
    return v
  }

  /// Fills `row` with the places of the voxels of row `y` of slice `z`.
  func coordinates(y: Int, z: Int, into row: CoordinateRow) {
    let size = SIMD3(extent.xyz.map { Double($0 - 1) })
    let start =
      center - steps[0] * (size.x / 2) + steps[1] * (Double(y) - size.y / 2)
      + steps[2] * (Double(z) - size.z / 2)
    let (first, step) = (SIMD3<Float>(start), SIMD3<Float>(steps[0]))
    for x in 0..<row.count {
      row.x[x] = first.x + step.x * Float(x)
      row.y[x] = first.y + step.y * Float(x)
      row.z[x] = first.z + step.z * Float(x)
    }
    elastic?.add(toRow: y, z: z, row)
  }
}

/// Places in a volume of a row of voxels, padded to whole blocks of four.
struct CoordinateRow {
  let count: Int
  let x: UnsafeMutablePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let z: UnsafeMutablePointer<Float>

  /// A row of at least `width` places in `buffer`, which holds `floats(for: width)` floats.
  init(width: Int, in buffer: FloatBuffer) {
    count = Self.floats(for: width) / 3
    (x, y, z) = (buffer.pointer, buffer.pointer + count, buffer.pointer + 2 * count)
  }

  static func floats(for width: Int) -> Int { 3 * ((width + 3) & ~3) }
}
