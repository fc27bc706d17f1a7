import CKernels
import Tensors

/// A k^3 convolution with zero padding (k - 1) / 2 and a stride; weights [O][I][k][k][k].
///
/// A list of input maps stands for their concatenation along channels. `using` asks for an
/// implementation; without it the first that accepts the problem is taken.
package enum DenseConvolution {
  /// y[o, p] = bias[o] + sum over i, t of weight[o, i, t] x[i, p * stride + t - padding], and its moments
  /// where they come for free.
  package static func forward(
    _ x: [FeatureMap], weight: FloatSlice, bias: FloatSlice, outputs: Int, kernelSize: Int,
    stride: Int, using: DenseImplementation? = nil, on compute: Compute
  ) -> (FeatureMap, ChannelMoments?) {
    precondition(bias.count == outputs, "\(bias.count) biases for \(outputs) outputs")
    let input = BlockTable(x)
    return forwards(input, outputs: outputs, kernelSize: kernelSize, stride: stride)
      .product(
        input, weight: weight, bias: bias, withMoments: true, using: using, on: compute)
  }

  /// The gradient of all inputs from that of the output; `inputShape` counts all input channels.
  package static func inputGradient(
    _ dy: FeatureMap, weight: FloatSlice, inputShape: Shape, kernelSize: Int, stride: Int,
    using: DenseImplementation? = nil, on compute: Compute
  ) -> FeatureMap {
    let extent = inputShape.extent
    let problem = DenseProblem(
      layout: WeightLayout(
        inputs: dy.shape.channels, outputs: inputShape.channels,
        taps: kernelSize * kernelSize * kernelSize, outputsFirst: false),
      output: inputShape,
      plan: kernelSize == 1
        ? nil
        : stride == 1 ? .same(extent, isGradient: true) : .doubling(to: extent, kernelSize: 3),
      sweeps: TapSweep.transposed(
        output: extent, kernelSize: kernelSize, stride: stride, padding: (kernelSize - 1) / 2))
    return problem.product(
      BlockTable([dy]), weight: weight, bias: nil, withMoments: false, using: using, on: compute
    ).0
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: [FeatureMap], _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice,
    kernelSize: Int, stride: Int, using: DenseImplementation? = nil, on compute: Compute
  ) {
    let input = BlockTable(x)
    forwards(input, outputs: dy.shape.channels, kernelSize: kernelSize, stride: stride)
      .addWeightGradient(input, BlockTable([dy]), to: dw, using: using, on: compute)
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func forwards(
    _ input: BlockTable, outputs: Int, kernelSize: Int, stride: Int
  ) -> DenseProblem {
    precondition(
      kernelSize == 1 || kernelSize == 3, "a kernel of \(kernelSize)^3 where 1 or 3 is possible")
    precondition(stride == 1 || stride == 2, "a stride of \(stride) where 1 or 2 is possible")
    let extent = input.extent.map { ($0 + stride - 1) / stride }
    return DenseProblem(
      layout: WeightLayout(
        inputs: input.channels, outputs: outputs, taps: kernelSize * kernelSize * kernelSize,
        outputsFirst: true),
      output: Shape(channels: outputs, extent: extent),
      plan: kernelSize == 1
        ? nil
        : stride == 1 ? .same(extent, isGradient: false) : .halving(to: extent, kernelSize: 3),
      sweeps: [
        .convolution(
          output: extent, kernelSize: kernelSize, stride: stride, padding: (kernelSize - 1) / 2)
      ])
  }
}
