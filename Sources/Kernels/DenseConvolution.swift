import Tensors

/// A k^3 convolution with zero padding (k - 1) / 2 and a stride; weights [O][I][k][k][k].
///
/// A list of input maps stands for their concatenation along channels.
package enum DenseConvolution {
  /// y[o, p] = bias[o] + sum over i, t of weight[o, i, t] x[i, p * stride + t - padding].
  package static func forward(
    _ x: [FeatureMap], weight: FloatSlice, bias: FloatSlice, outputs: Int, kernelSize: Int,
    stride: Int, on compute: Compute
  ) -> FeatureMap {
    precondition(bias.count == outputs, "\(bias.count) biases for \(outputs) outputs")
    let input = BlockTable(x)
    let sweep = sweep(input.extent, kernelSize: kernelSize, stride: stride)
    let layout = WeightLayout(
      inputs: input.channels, outputs: outputs, taps: sweep.taps.count, outputsFirst: true)
    let weights = SweepWeights(weight, layout: layout, sweeps: [sweep], on: compute)
    return SweepProduct(input: input, weights: weights, bias: bias)(
      Shape(channels: outputs, extent: sweep.grid), on: compute)
  }

  /// The gradient of all inputs from that of the output; `inputShape` counts all input channels.
  package static func inputGradient(
    _ dy: FeatureMap, weight: FloatSlice, inputShape: Shape, kernelSize: Int, stride: Int,
    on compute: Compute
  ) -> FeatureMap {
    let sweeps = TapSweep.transposed(
      output: inputShape.extent, kernelSize: kernelSize, stride: stride,
      padding: (kernelSize - 1) / 2)
    let layout = WeightLayout(
      inputs: dy.shape.channels, outputs: inputShape.channels,
      taps: kernelSize * kernelSize * kernelSize, outputsFirst: false)
    let weights = SweepWeights(weight, layout: layout, sweeps: sweeps, on: compute)
    return SweepProduct(input: BlockTable([dy]), weights: weights, bias: nil)(
      inputShape, on: compute)
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: [FeatureMap], _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice,
    kernelSize: Int, stride: Int, on compute: Compute
  ) {
    let input = BlockTable(x)
    let sweep = sweep(input.extent, kernelSize: kernelSize, stride: stride)
    SweepWeightGradient(input: input, gradient: BlockTable([dy]), sweep: sweep)
      .add(to: dw, on: compute)
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func sweep(_ extent: Extent, kernelSize: Int, stride: Int) -> TapSweep {
    precondition(
      kernelSize == 1 || kernelSize == 3, "a kernel of \(kernelSize)^3 where 1 or 3 is possible")
    return TapSweep.convolution(
      output: extent.map { ($0 + stride - 1) / stride }, kernelSize: kernelSize, stride: stride,
      padding: (kernelSize - 1) / 2)
  }
}
