import Tensors

/// A 4^3 transposed convolution of stride 2 and padding 1, which doubles the extent;
/// weights [I][O][4][4][4].
package enum TransposedConvolution {
  /// y[o, q] = bias[o] + sum over i and q = 2 p + t - 1 of weight[i, o, t] x[i, p].
  package static func forward(
    _ x: FeatureMap, weight: FloatSlice, bias: FloatSlice, outputs: Int, on compute: Compute
  ) -> FeatureMap {
    precondition(bias.count == outputs, "\(bias.count) biases for \(outputs) outputs")
    let extent = x.shape.extent.map { $0 * 2 }
    let sweeps = TapSweep.transposed(output: extent, kernelSize: 4, stride: 2, padding: 1)
    let layout = WeightLayout(
      inputs: x.shape.channels, outputs: outputs, taps: 64, outputsFirst: false)
    let weights = SweepWeights(weight, layout: layout, sweeps: sweeps, on: compute)
    return SweepProduct(input: BlockTable([x]), weights: weights, bias: bias)(
      Shape(channels: outputs, extent: extent), on: compute)
  }

  /// The gradient of the input from that of the output: a convolution of stride 2.
  package static func inputGradient(
    _ dy: FeatureMap, weight: FloatSlice, inputs: Int, on compute: Compute
  ) -> FeatureMap {
    let sweep = halving(dy)
    let layout = WeightLayout(
      inputs: dy.shape.channels, outputs: inputs, taps: 64, outputsFirst: true)
    let weights = SweepWeights(weight, layout: layout, sweeps: [sweep], on: compute)
    return SweepProduct(input: BlockTable([dy]), weights: weights, bias: nil)(
      Shape(channels: inputs, extent: sweep.grid), on: compute)
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: FeatureMap, _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice,
    on compute: Compute
  ) {
    // The weight gradient of that convolution of stride 2, whose output gradient is x.
    SweepWeightGradient(
      input: BlockTable([dy]), gradient: BlockTable([x]), sweep: halving(dy)
    ).add(to: dw, on: compute)
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func halving(_ dy: FeatureMap) -> TapSweep {
    let extent = dy.shape.extent
    precondition(extent.zyx.allSatisfy { $0 % 2 == 0 }, "a doubled extent cannot be \(extent)")
    return TapSweep.convolution(
      output: extent.map { $0 / 2 }, kernelSize: 4, stride: 2, padding: 1)
  }
}
