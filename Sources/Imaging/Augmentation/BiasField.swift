import Foundation
import Tensors

/// Multiplies each channel by the exponential of a random cubic polynomial, as a coil would.
package struct BiasField: Hashable, Sendable {
  package var probability: Double
  /// The polynomial's coefficients are drawn from -strength...strength; x, y, z run over -1...1.
  package var strength: Double

  package init(probability: Double = 0.3, strength: Double = 0.5) {
    self.probability = probability
    self.strength = strength
  }

  func apply(to image: inout VoxelGrid, _ stream: inout RandomStream) {
    guard stream.uniform() < probability else { return }
    let extent = image.shape.extent
    for channel in 0..<image.shape.channels {
      let polynomial = CubicPolynomial(
        (0..<20).map { _ in
          stream.uniform(in: -strength...strength)
        })
      polynomial.multiply(image.mutableChannel(channel), extent)
    }
  }
}

/// A polynomial of total degree 3 in x, y and z, each within -1...1 over a patch.
package struct CubicPolynomial: Sendable {
  /// The coefficient of x^i y^j z^k: i + j + k <= 3, k fastest, then j.
  private let terms: [(powers: SIMD3<Int>, coefficient: Double)]

  /// A polynomial of 20 coefficients, those of x^i y^j z^k with k varying fastest, then j.
  package init(_ coefficients: [Double]) {
    let powers = (0...3).flatMap { i in
      (0...3 - i).flatMap { j in (0...3 - i - j).map { k in SIMD3(i, j, k) } }
    }
    precondition(coefficients.count == powers.count, "\(coefficients.count) coefficients")
    terms = zip(powers, coefficients).map { ($0, $1) }
  }

  /// Multiplies a channel by the exponential of the polynomial.
  package func multiply(_ values: UnsafeMutableBufferPointer<Float>, _ extent: Extent) {
    let xs = (0..<extent.width).map { Float(Self.place($0, of: extent.width)) }
    for row in 0..<extent.depth * extent.height {
      let z = Self.place(row / extent.height, of: extent.depth)
      let c = alongX(y: Self.place(row % extent.height, of: extent.height), z: z)
      let run = UnsafeMutableBufferPointer(
        rebasing: values[row * extent.width..<(row + 1) * extent.width])
      var index = 0
      run.transform { value in
        var x = SIMD8<Float>.zero
        for lane in 0..<8 { x[lane] = xs[min(index + lane, xs.count - 1)] }
        index += 8
        return value * VectorMath.exp2(((x * c[3] + c[2]) * x + c[1]) * x + c[0])
      }
    }
  }

  /// The coefficients in x at a row, times log2(e), so that `exp2` of them is the field.
  private func alongX(y: Double, z: Double) -> SIMD4<Float> {
    var sums = SIMD4<Double>.zero
    for term in terms {
      sums[term.powers.x] +=
        term.coefficient * pow(y, Double(term.powers.y)) * pow(z, Double(term.powers.z))
    }
    return SIMD4<Float>(sums * M_LOG2E)
  }

  private static func place(_ index: Int, of count: Int) -> Double {
    count > 1 ? 2 * Double(index) / Double(count - 1) - 1 : 0
  }
}
