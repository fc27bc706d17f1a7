import Kernels
import Tensors

/// Two 3^3 convolutions, each with group norm and leaky ReLU.
package struct Block {
  private var first: NormalizedConvolution
  private var second: NormalizedConvolution

  /// The block called `name`: `inputs` channels become `outputs`.
  package init(
    _ name: String, inputs: Int, outputs: Int, _ settings: NormSettings, in store: ParameterStore
  ) {
    let dense = Convolution.Kind.dense(kernelSize: 3, stride: 1)
    first = NormalizedConvolution(
      Convolution("\(name).conv1", dense, inputs: inputs, outputs: outputs, in: store),
      norm: "\(name).norm1", settings, in: store)
    second = NormalizedConvolution(
      Convolution("\(name).conv2", dense, inputs: outputs, outputs: outputs, in: store),
      norm: "\(name).norm2", settings, in: store)
  }

  /// The block's output, of the input's extent.
  package mutating func forward(
    _ input: consuming LayerInput, keeping: Bool, on compute: Compute
  ) -> FeatureMap {
    let hidden = first.forward(consume input, keeping: keeping, on: compute)
    return second.forward(.maps([consume hidden]), keeping: keeping, on: compute)
  }

  /// Keeps what backward and `output` need.
  package mutating func prepare(_ input: consuming LayerInput, on compute: Compute) {
    let hidden = first.forward(consume input, keeping: true, on: compute)
    second.prepare(.maps([consume hidden]), on: compute)
  }

  /// The output of the last forward or `prepare`, computed again.
  package func output(on compute: Compute) -> FeatureMap { second.output(on: compute) }

  /// Adds all parameters' gradients and returns the gradient of the first convolution's output;
  /// `inputGradient` goes on from it where the input has a gradient. `input` is asked for late.
  package mutating func backward<E: Error>(
    _ dy: consuming FeatureMap, input: () -> LayerInput, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) -> FeatureMap {
    let dSecond = second.backward(
      consume dy, input: { [first] in .maps([first.output(on: compute)]) }, on: compute)
    try isFinal(second.offset)
    let dHidden = second.inputGradient(consume dSecond, on: compute)
    let dFirst = first.backward(consume dHidden, input: input, on: compute)
    try isFinal(first.offset)
    return dFirst
  }

  /// The gradient of the block's input, given what `backward` returned.
  package func inputGradient(_ dFirst: FeatureMap, on compute: Compute) -> FeatureMap {
    first.inputGradient(dFirst, on: compute)
  }
}
