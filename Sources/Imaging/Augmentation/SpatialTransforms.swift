import Foundation
import Tensors

/// Turns patches about their center, by an angle about each axis.
package struct Rotation: Hashable, Sendable {
  package var probability: Double
  /// Angles are drawn from -degrees...degrees.
  package var degrees: Double

  package init(probability: Double = 0.2, degrees: Double = 30) {
    self.probability = probability
    self.degrees = degrees
  }

  /// The angles about x, y and z in radians; nil where the patch is not turned.
  package func draw(_ stream: inout RandomStream) -> SIMD3<Double>? {
    guard stream.uniform() < probability else { return nil }
    func angle() -> Double { stream.uniform(in: -degrees...degrees) * .pi / 180 }
    return SIMD3(angle(), angle(), angle())
  }
}

/// Makes what a patch shows larger or smaller, all axes alike.
package struct Scaling: Hashable, Sendable {
  package var probability: Double
  /// How many times larger; below 1 smaller.
  package var factor: ClosedRange<Double>

  package init(probability: Double = 0.2, factor: ClosedRange<Double> = 0.7...1.4) {
    self.probability = probability
    self.factor = factor
  }

  /// The factor; nil where the patch keeps its scale.
  package func draw(_ stream: inout RandomStream) -> Double? {
    stream.uniform() < probability ? stream.factor(in: factor) : nil
  }
}

/// Deforms patches smoothly: a cubic B-spline through random displacements of control points.
package struct Elastic: Hashable, Sendable {
  package var probability: Double
  /// Distance of control points in mm.
  package var controlSpacing: Double
  /// The largest displacement of a patch's control points in mm, drawn from this range. Up to 0.4
  /// of their distance nothing folds (Choi, Lee 2000).
  package var displacement: ClosedRange<Double>

  package init(
    probability: Double = 0.2, controlSpacing: Double = 32,
    displacement: ClosedRange<Double> = 0...6
  ) {
    self.probability = probability
    self.controlSpacing = controlSpacing
    self.displacement = displacement
  }

  /// The displacements of a patch on a grid of `spacing` mm; nil where it is not deformed.
  package func draw(
    _ stream: inout RandomStream, extent: Extent, spacing: SIMD3<Double>
  ) -> ElasticField? {
    guard stream.uniform() < probability else { return nil }
    let largest = stream.uniform(in: displacement)
    let steps = controlSpacing / spacing
    let counts = ElasticField.controls(for: extent, steps: steps)
    let controls = (0..<counts.voxels).map { _ in
      let mm = SIMD3((0..<3).map { _ in stream.uniform(in: -largest...largest) })
      return SIMD4(SIMD3<Float>(mm / spacing), 0)
    }
    return ElasticField(controls: controls, extent: extent, steps: steps)
  }
}

/// Displacements of a patch's voxels, interpolated from control points by cubic B-splines.
package struct ElasticField: Sendable {
  /// Displacements in voxels along x, y, z, `[z][y][x]`.
  private let controls: [SIMD4<Float>]
  private let counts: Extent
  /// For each voxel along an axis, the first of its four control points and their weights.
  private let taps: [[(first: Int, weights: SIMD4<Float>)]]

  /// A field of `controls(for:steps:)` displacements in voxels along x, y, z (and an idle 0),
  /// `steps` voxels apart along x, y, z; the first ones lie a step before the patch.
  package init(controls: [SIMD4<Float>], extent: Extent, steps: SIMD3<Double>) {
    counts = Self.controls(for: extent, steps: steps)
    precondition(controls.count == counts.voxels, "\(controls.count) controls for \(counts)")
    self.controls = controls
    taps = (0..<3).map { axis in
      (0..<extent.xyz[axis]).map { Self.tap(Double($0) / steps[axis]) }
    }
  }

  /// The number of control points along each axis.
  package static func controls(for extent: Extent, steps: SIMD3<Double>) -> Extent {
    Extent(xyz: (0..<3).map { Int(Double(extent.xyz[$0] - 1) / steps[$0]) + 4 })
  }

  private static func tap(_ place: Double) -> (first: Int, weights: SIMD4<Float>) {
    let first = Int(place)
    let t = place - Double(first)
    let u = 1 - t
    func outer(_ t: Double) -> Double { t * t * t }
    func inner(_ t: Double) -> Double { 4 + 3 * t * t * (t - 2) }
    let weights = SIMD4<Double>(outer(u), inner(t), inner(u), outer(t))
    return (first, SIMD4<Float>(weights / 6))
  }

  /// Adds the displacements of a row of voxels to their coordinates.
  func add(toRow y: Int, z: Int, _ row: CoordinateRow) {
    withUnsafeTemporaryAllocation(of: SIMD4<Float>.self, capacity: counts.width) { line in
      for x in 0..<counts.width { line[x] = between(x: x, taps[1][y], taps[2][z]) }
      for (x, tap) in taps[0].enumerated() {
        let (w, k) = (tap.weights, tap.first)
        let before: SIMD4<Float> = line[k] * w[0] + line[k + 1] * w[1]
        let sum: SIMD4<Float> = before + line[k + 2] * w[2] + line[k + 3] * w[3]
        row.x[x] += sum[0]
        row.y[x] += sum[1]
        row.z[x] += sum[2]
      }
    }
  }

  /// The displacement at control column `x` and a place between rows and slices of controls.
  private func between(
    x: Int, _ y: (first: Int, weights: SIMD4<Float>), _ z: (first: Int, weights: SIMD4<Float>)
  ) -> SIMD4<Float> {
    var sum = SIMD4<Float>.zero
    for k in 0..<4 {
      for j in 0..<4 {
        let row = (z.first + k) * counts.height + y.first + j
        sum += controls[row * counts.width + x] * (z.weights[k] * y.weights[j])
      }
    }
    return sum
  }
}
