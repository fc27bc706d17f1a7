import Tensors

/// A 4^3 transposed convolution of stride 2 and padding 1, which doubles the extent;
/// weights [I][O][4][4][4]. `using` is as in DenseConvolution.
package enum TransposedConvolution {
  /// y[o, q] = bias[o] + sum over i and q = 2 p + t - 1 of weight[i, o, t] x[i, p], and its moments where
  /// they come for free.
  package static func forward(
    _ x: FeatureMap, weight: FloatSlice, bias: FloatSlice, outputs: Int,
    using: DenseImplementation? = nil, on compute: Compute
  ) -> (FeatureMap, ChannelMoments?) {
    precondition(bias.count == outputs, "\(bias.count) biases for \(outputs) outputs")
    let extent = x.shape.extent.map { $0 * 2 }
    let problem = DenseProblem(
      layout: WeightLayout(
        inputs: x.shape.channels, outputs: outputs, taps: 64, outputsFirst: false),
      output: Shape(channels: outputs, extent: extent),
      plan: .doubling(to: extent, kernelSize: 4),
      sweeps: TapSweep.transposed(output: extent, kernelSize: 4, stride: 2, padding: 1))
    return problem.product(
      BlockTable([x]), weight: weight, bias: bias, withMoments: true, using: using, on: compute)
  }

  /// The gradient of the input from that of the output: a convolution of stride 2.
  package static func inputGradient(
    _ dy: FeatureMap, weight: FloatSlice, inputs: Int, using: DenseImplementation? = nil,
    on compute: Compute
  ) -> FeatureMap {
    halving(dy, outputs: inputs)
      .product(
        BlockTable([dy]), weight: weight, bias: nil, withMoments: false, using: using, on: compute
      ).0
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: FeatureMap, _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice,
    using: DenseImplementation? = nil, on compute: Compute
  ) {
    // The weight gradient of that convolution of stride 2, whose output gradient is x.
    halving(dy, outputs: x.shape.channels)
      .addWeightGradient(BlockTable([dy]), BlockTable([x]), to: dw, using: using, on: compute)
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func halving(_ dy: FeatureMap, outputs: Int) -> DenseProblem {
    let extent = dy.shape.extent
    precondition(extent.zyx.allSatisfy { $0 % 2 == 0 }, "a doubled extent cannot be \(extent)")
    let output = extent.map { $0 / 2 }
    return DenseProblem(
      layout: WeightLayout(
        inputs: dy.shape.channels, outputs: outputs, taps: 64, outputsFirst: true),
      output: Shape(channels: outputs, extent: output),
      plan: .halving(to: output, kernelSize: 4),
      sweeps: [.convolution(output: output, kernelSize: 4, stride: 2, padding: 1)])
  }
}
