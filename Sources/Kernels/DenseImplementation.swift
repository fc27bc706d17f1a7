import Tensors

/// The ways to compute a dense convolution, in the order in which they are asked: the first that
/// accepts a problem computes it.
package enum DenseImplementation: String, CaseIterable, Sendable {
  /// Winograd's algorithms: a few times fewer products, in single precision's last digits.
  case winograd
  /// Gathered rows times packed weights through `sgemm`, whatever the kernel; exact.
  case sweep

  /// Whether this way is right for `problem`.
  fileprivate func accepts(_ problem: DenseProblem, precision: Precision) -> Bool {
    switch self {
    // Where the weights outweigh the voxels, transforming them costs more than is saved.
    case .winograd: precision == .fast && problem.plan.map { $0.cost < problem.sweepCost } ?? false
    case .sweep: true
    }
  }
}

/// What a dense convolution does in one direction, for every implementation.
struct DenseProblem {
  let layout: WeightLayout
  let output: Shape
  /// How Winograd's algorithms would do it, if they can.
  let plan: WinogradPlan?
  let sweeps: [TapSweep]

  /// Outputs from inputs; if asked for, also the moments of the outputs where they come for free.
  func product(
    _ input: BlockTable, weight: FloatSlice, bias: FloatSlice?, withMoments: Bool,
    using forced: DenseImplementation?, on compute: Compute
  ) -> (FeatureMap, ChannelMoments?) {
    switch forced ?? choice(compute.precision) {
    case .winograd:
      let product = WinogradProduct(
        plan: forcedPlan, input: input, weight: weight, layout: layout, bias: bias,
        withMoments: withMoments)
      return product(output, on: compute)
    case .sweep:
      let weights = SweepWeights(weight, layout: layout, sweeps: sweeps, on: compute)
      return (SweepProduct(input: input, weights: weights, bias: bias)(output, on: compute), nil)
    }
  }

  // Nobody but a caller that forces the way can meet a problem without a plan.
  private var forcedPlan: WinogradPlan {
    guard let plan else { preconditionFailure("no Winograd plan for \(layout.taps) taps") }
    return plan
  }

  fileprivate var sweepCost: Double { sweeps.reduce(0) { $0 + $1.cost } }

  private func choice(_ precision: Precision) -> DenseImplementation {
    DenseImplementation.allCases.first { $0.accepts(self, precision: precision) } ?? .sweep
  }

  /// Adds the gradient of the weights to `dw`.
  func addWeightGradient(
    _ input: BlockTable, _ gradient: BlockTable, to dw: FloatSlice,
    using forced: DenseImplementation?, on compute: Compute
  ) {
    switch forced ?? choice(compute.precision) {
    case .winograd:
      WinogradWeightGradient(plan: forcedPlan, input: input, gradient: gradient, layout: layout)
        .add(to: dw, on: compute)
    case .sweep:
      for sweep in sweeps {
        SweepWeightGradient(input: input, gradient: gradient, sweep: sweep)
          .add(to: dw, on: compute)
      }
    }
  }
}
