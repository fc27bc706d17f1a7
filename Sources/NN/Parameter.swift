import Kernels
import Tensors

/// One learnable tensor: a run of the flat block, under PyTorch's name and in PyTorch's layout.
package struct Parameter: Hashable, Sendable {
  /// How the first values are drawn.
  package enum Initialization: Hashable, Sendable {
    /// All values are this.
    case constant(Float)
    /// Normal with mean 0 and this standard deviation.
    case normal(deviation: Float)
  }

  /// The key in the network's `state_dict()`, such as `encoder.0.conv1.weight`.
  package let name: String
  /// The sizes in PyTorch's order.
  package let shape: [Int]
  /// Floats of the flat block before it.
  package let offset: Int
  /// How it begins.
  package let initialization: Initialization

  /// A parameter whose values begin `offset` floats into the flat block.
  package init(name: String, shape: [Int], offset: Int, initialization: Initialization) {
    self.name = name
    self.shape = shape
    self.offset = offset
    self.initialization = initialization
  }

  /// The number of values.
  package var count: Int { shape.reduce(1, *) }

  /// The layer it belongs to, such as `encoder.0.conv1`.
  package var layer: String { name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name }
}

/// Every parameter and its gradient, each in one flat block in the order of the forward pass.
package final class ParameterStore: Sendable {
  /// The tensors, in forward order and without gaps.
  package let parameters: [Parameter]
  /// All values.
  package let values: FloatBuffer
  /// The gradient of each value; backward passes add to it.
  package let gradients: FloatBuffer
  private let compute: Compute
  private let index: [String: Int]

  /// Allocates the blocks of `parameters`, all zero.
  package init(_ parameters: [Parameter], on compute: Compute) {
    let count = parameters.reduce(0) { $0 + $1.count }
    self.parameters = parameters
    self.compute = compute
    values = FloatBuffer(zeros: count)
    gradients = FloatBuffer(zeros: count)
    index = Dictionary(
      uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
  }

  /// The number of values.
  package var count: Int { values.count }

  /// The parameter called `name`, or nil.
  package func parameter(_ name: String) -> Parameter? { index[name].map { parameters[$0] } }

  /// The values of one of `parameters`, to be read or written.
  package func values(of parameter: Parameter) -> FloatSlice {
    FloatSlice(buffer: values, offset: parameter.offset, count: parameter.count)
  }

  /// The gradient of one of `parameters`.
  package func gradient(of parameter: Parameter) -> FloatSlice {
    FloatSlice(buffer: gradients, offset: parameter.offset, count: parameter.count)
  }

  /// The weight and bias of the layer called `layer`, which must exist.
  package func weights(of layer: String) -> LayerParameters {
    guard let weight = parameter("\(layer).weight"), let bias = parameter("\(layer).bias") else {
      preconditionFailure("no layer \(layer) among \(parameters.count) parameters")
    }
    return LayerParameters(
      name: layer, weight: values(of: weight), bias: values(of: bias),
      weightGradient: gradient(of: weight), biasGradient: gradient(of: bias))
  }

  /// Draws all values anew: one random stream for each (seed, parameter name).
  package func initialize(seed: UInt64) {
    for parameter in parameters {
      let slice = values(of: parameter)
      switch parameter.initialization {
      case .constant(let value):
        FlatBlock.fill(slice, with: value, on: compute)
      case .normal(let deviation):
        FlatBlock.fillNormal(
          slice, deviation: deviation, seed: seed, name: parameter.name, on: compute)
      }
    }
  }

  /// Sets every gradient to zero, or to -0, which changes no sum that it is added to, not even -0.
  package func zeroGradients(negative: Bool = false) {
    compute.measure("gradients", .update) {
      FlatBlock.fill(gradients.slice, with: negative ? -0.0 : 0, on: compute)
    }
  }

  /// The L2 norm of all gradients; NaN or infinite if one of them is.
  package func gradientNorm() -> Double {
    compute.measure("norm", .update) {
      FlatBlock.squaredNorm(gradients.slice, on: compute).squareRoot()
    }
  }

  /// The same where each rank has summed the gradients of some `ranges` only: `sum` adds an array of
  /// numbers of all ranks, of which all but one are 0, in place.
  ///
  /// - Parameter ranges: each begins with a run of `FlatBlock.run` floats and ends with one, or with
  ///   the block; every run is in the ranges of exactly one rank.
  package func gradientNorm<E: Error>(
    in ranges: [Range<Int>], sum: (inout [Double]) throws(E) -> Void
  ) throws(E) -> Double {
    var squares = [Double](repeating: 0, count: FlatBlock.runs(count))
    for range in ranges {
      FlatBlock.sumSquares(gradients.slice, in: range, into: &squares, on: compute)
    }
    try sum(&squares)
    return squares.reduce(0, +).squareRoot()
  }

  /// Scales the gradients in `ranges` so that the norm of all becomes `limit`, if `norm` exceeds it.
  package func clipGradients(in ranges: [Range<Int>], ofNorm norm: Double, to limit: Double) {
    guard norm.isFinite, norm > limit else { return }
    for range in ranges {
      FlatBlock.scale(gradients.slice.slice(range), by: Float(limit / norm), on: compute)
    }
  }
}

/// The weight and bias of one layer, and where their gradients are added up.
package struct LayerParameters {
  package let name: String
  package let weight: FloatSlice
  package let bias: FloatSlice
  package let weightGradient: FloatSlice
  package let biasGradient: FloatSlice

  /// Where the layer begins in the flat block.
  package var offset: Int { weight.offset }
}
