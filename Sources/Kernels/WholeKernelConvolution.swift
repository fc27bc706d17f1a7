import Tensors

/// A K^3 convolution of every channel to every other, K of any size, whose zero padding is
/// (K - 1) / 2 before and K / 2 after; weights [O][I][K][K][K].
///
/// It is there to be compared with its decomposition: gathered rows through `sgemm`, for K^3 times the
/// cost of a pointwise convolution.
package enum WholeKernelConvolution {
  /// y[o, p] = bias[o] + sum over i, t of weight[o, i, t] x[i, p + t - (K - 1) / 2].
  package static func forward(
    _ x: FeatureMap, weight: FloatSlice, bias: FloatSlice, kernelSize: Int, on compute: Compute
  ) -> FeatureMap {
    let shape = Shape(channels: bias.count, extent: x.shape.extent)
    let layout = WeightLayout(
      inputs: x.shape.channels, outputs: shape.channels, taps: cube(kernelSize),
      outputsFirst: true)
    let weights = SweepWeights(
      weight, layout: layout, sweeps: [sweep(shape.extent, kernelSize)], on: compute)
    return SweepProduct(input: BlockTable([x]), weights: weights, bias: bias)(shape, on: compute)
  }

  /// The gradient of the input, of `inputs` channels, from that of the output.
  package static func inputGradient(
    _ dy: FeatureMap, weight: FloatSlice, inputs: Int, kernelSize: Int, on compute: Compute
  ) -> FeatureMap {
    let shape = Shape(channels: inputs, extent: dy.shape.extent)
    let layout = WeightLayout(
      inputs: dy.shape.channels, outputs: inputs, taps: cube(kernelSize), outputsFirst: false)
    let sweeps = TapSweep.transposed(
      output: shape.extent, kernelSize: kernelSize, stride: 1, padding: (kernelSize - 1) / 2)
    let weights = SweepWeights(weight, layout: layout, sweeps: sweeps, on: compute)
    return SweepProduct(input: BlockTable([dy]), weights: weights, bias: nil)(shape, on: compute)
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: FeatureMap, _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice, kernelSize: Int,
    on compute: Compute
  ) {
    SweepWeightGradient(
      input: BlockTable([x]), gradient: BlockTable([dy]), sweep: sweep(dy.shape.extent, kernelSize)
    ).add(to: dw, on: compute)
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func sweep(_ extent: Extent, _ kernelSize: Int) -> TapSweep {
    .convolution(
      output: extent, kernelSize: kernelSize, stride: 1, padding: (kernelSize - 1) / 2)
  }

  private static func cube(_ edge: Int) -> Int { edge * edge * edge }
}
