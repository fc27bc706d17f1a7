import CKernels

/// One of Winograd's algorithms in three dimensions: which products of input and weight points add up to
/// which output points (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
struct WinogradForm: Sendable {
  /// The transforms that go with it.
  let code: lk_form
  let inputPoints: Int
  let weightPoints: Int
  let outputPoints: Int
  /// The products, those of one output point side by side.
  let byOutput: [lk_point_product]
  /// The products, those of one weight point side by side.
  let byWeight: [lk_point_product]

  /// F(4^3, 3^3): 216 products where the kernel has 1728.
  static let same = WinogradForm(LK_SAME, Array(repeating: .same(points: 6), count: 3))
  /// Three taps and a stride of 2: 729 products for 1728, with 216 weights.
  static let halving3 = WinogradForm(LK_HALVING3, Array(repeating: .split3, count: 3))
  /// Four taps and a stride of 2: 1000 products for 4096.
  static let halving4 = WinogradForm(LK_HALVING4, Array(repeating: .split4, count: 3))

  /// One parity of a doubled map, of which each axis, z, y, x, has one tap or two: F(4^3, 2^3) has 125
  /// products for 512.
  static func doubling(oneTap axes: [Bool]) -> WinogradForm { doublings[Self.mask(axes)] }

  private static let doublings = (0..<8).map { mask in
    let axes = (0..<3).map { mask >> (2 - $0) & 1 == 1 }
    return WinogradForm(
      lk_form(LK_DOUBLING.rawValue + UInt32(mask)), axes.map { $0 ? .one : .same(points: 5) })
  }

  private static func mask(_ axes: [Bool]) -> Int { axes.reduce(0) { $0 * 2 + ($1 ? 1 : 0) } }

  private init(_ code: lk_form, _ axes: [AxisProducts]) {
    self.code = code
    inputPoints = axes.reduce(1) { $0 * $1.inputs }
    weightPoints = axes.reduce(1) { $0 * $1.weights }
    outputPoints = axes.reduce(1) { $0 * $1.outputs }
    var products = [lk_point_product(input: 0, weight: 0, output: 0)]
    for axis in axes {
      products = products.flatMap { product in axis.products.map { axis.extend(product, by: $0) } }
    }
    byOutput = products.sorted { ($0.output, $0.input) < ($1.output, $1.input) }
    byWeight = products.sorted { ($0.weight, $0.input) < ($1.weight, $1.input) }
  }
}

/// The products along one axis.
private struct AxisProducts {
  let inputs: Int
  let weights: Int
  let outputs: Int
  let products: [lk_point_product]

  init(
    inputs: Int, weights: Int, outputs: Int, _ products: [(input: Int, weight: Int, output: Int)]
  ) {
    self.inputs = inputs
    self.weights = weights
    self.outputs = outputs
    self.products = products.map {
      lk_point_product(input: $0.input, weight: $0.weight, output: $0.output)
    }
  }

  /// Each point on its own.
  static func same(points: Int) -> AxisProducts {
    AxisProducts(
      inputs: points, weights: points, outputs: points, (0..<points).map { ($0, $0, $0) })
  }

  /// One weight for four points.
  static let one = AxisProducts(inputs: 4, weights: 1, outputs: 4, (0..<4).map { ($0, 0, $0) })

  /// F(4, 2) of the outer taps and, at the first four of its points, the middle tap.
  static let split3 = AxisProducts(
    inputs: 9, weights: 6, outputs: 5,
    (0..<5).map { ($0, $0, $0) } + (0..<4).map { (5 + $0, 5, $0) })

  /// F(4, 2) of every other tap, twice.
  static let split4 = AxisProducts(
    inputs: 10, weights: 10, outputs: 5,
    (0..<5).map { ($0, $0, $0) } + (0..<5).map { (5 + $0, 5 + $0, $0) })

  /// The product of the axes before and a product along this one.
  func extend(_ before: lk_point_product, by along: lk_point_product) -> lk_point_product {
    lk_point_product(
      input: before.input * inputs + along.input, weight: before.weight * weights + along.weight,
      output: before.output * outputs + along.output)
  }
}
