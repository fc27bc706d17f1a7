import Tensors

/// The ways to compute a dense convolution, in the order in which they are asked: the first that
/// accepts a problem computes it.
package enum DenseImplementation: String, CaseIterable, Sendable {
  /// Winograd's algorithms: a few times fewer products, in single precision's last digits.
  case winograd
  /// Gathered rows times packed weights through `sgemm`, whatever the kernel; exact.
  case sweep

  /// Whether this way is right for a convolution of such a plan, if it has one.
  fileprivate func accepts(cost: Double?, precision: Precision) -> Bool {
    switch self {
    // On tiles that lie mostly outside the map the transforms cost more than is saved.
    case .winograd: precision == .fast && cost.map { $0 < 0.5 } ?? false
    case .sweep: true
    }
  }
}

/// What a dense convolution does in one direction, for every implementation.
struct DenseProblem {
  let layout: WeightLayout
  let kernelSize: Int
  let output: Shape
  /// How Winograd's algorithms would do it, if they can.
  let plan: WinogradPlan?
  let sweeps: [TapSweep]

  /// Outputs from inputs, with the moments of the outputs where they come for free.
  func product(
    _ input: BlockTable, weight: FloatSlice, bias: FloatSlice?,
    using forced: DenseImplementation?, on compute: Compute
  ) -> (FeatureMap, ChannelMoments?) {
    switch forced ?? choice(input, on: compute) {
    case .winograd:
      guard let plan else { preconditionFailure("no Winograd plan for \(kernelSize)^3") }
      let product = WinogradProduct(
        plan: plan, input: input, weight: weight, layout: layout, bias: bias)
      return product(output, on: compute)
    case .sweep:
      let weights = SweepWeights(weight, layout: layout, sweeps: sweeps, on: compute)
      return (SweepProduct(input: input, weights: weights, bias: bias)(output, on: compute), nil)
    }
  }

  private func choice(_ input: BlockTable, on compute: Compute) -> DenseImplementation {
    let cost = plan?.cost(
      kernelSize: kernelSize, outputs: output.extent, inputs: input.extent)
    return DenseImplementation.allCases.first {
      $0.accepts(cost: cost, precision: compute.precision)
    } ?? .sweep
  }

  /// Adds the gradient of the weights to `dw`.
  func addWeightGradient(
    _ input: BlockTable, _ gradient: BlockTable, to dw: FloatSlice,
    using forced: DenseImplementation?, on compute: Compute
  ) {
    switch forced ?? choice(input, on: compute) {
    case .winograd:
      guard let plan else { preconditionFailure("no Winograd plan for \(kernelSize)^3") }
      WinogradWeightGradient(plan: plan, input: input, gradient: gradient, layout: layout)
        .add(to: dw, on: compute)
    case .sweep:
      for sweep in sweeps {
        SweepWeightGradient(input: input, gradient: gradient, sweep: sweep)
          .add(to: dw, on: compute)
      }
    }
  }
}
