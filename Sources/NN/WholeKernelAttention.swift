import Kernels
import Tensors

/// The large-kernel attention gate before its decomposition (the paper's Table 5): u + sigmoid(a) u,
/// where a is one K^3 convolution of every channel to every other.
package struct WholeKernelAttention {
  private let name: String
  private let full: LayerParameters
  private let kernelSize: Int
  private var gate: FeatureMap?

  /// The module called `name`, of a `kernelSize`^3 kernel.
  package init(_ name: String, kernelSize: Int, in store: ParameterStore) {
    self.name = name
    full = store.weights(of: "\(name).full")
    self.kernelSize = kernelSize
  }

  /// The attended map, of u's shape; `inspect` is shown what it is made of.
  package mutating func forward(
    _ u: FeatureMap, keeping: Bool, on compute: Compute,
    inspect: ((AttentionMaps) -> Void)? = nil
  ) -> FeatureMap {
    let gate = compute.measure(full.name, .forward) {
      WholeKernelConvolution.forward(
        u, weight: full.weight, bias: full.bias, kernelSize: kernelSize, on: compute)
    }
    self.gate = keeping ? gate : nil
    inspect?(AttentionMaps(input: u, gate: gate))
    return output(u, gate: gate, .forward, on: compute)
  }

  /// The last forward's output for the same `u`, computed again.
  package func output(_ u: FeatureMap, on compute: Compute) -> FeatureMap {
    output(u, gate: kept, .recompute, on: compute)
  }

  private func output(
    _ u: FeatureMap, gate: FeatureMap, _ phase: Profile.Phase, on compute: Compute
  ) -> FeatureMap {
    compute.measure(name, phase) { AttentionGate.forward(u, gate: gate, on: compute) }
  }

  /// Adds all parameters' gradients, lets go of the cache and turns the gradient of the output into that
  /// of `u`.
  package mutating func backward<E: Error>(
    _ gradient: inout FeatureMap, input u: FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) {
    var dGate = kept
    gate = nil
    compute.measure(name, .inputGradient) {
      AttentionGate.backward(&gradient, u, gate: &dGate, on: compute)
    }
    compute.measure(full.name, .weightGradient) {
      WholeKernelConvolution.weightGradient(
        u, dGate, weight: full.weightGradient, bias: full.biasGradient, kernelSize: kernelSize,
        on: compute)
    }
    try isFinal(full.offset)
    let dThrough = compute.measure(full.name, .inputGradient) {
      WholeKernelConvolution.inputGradient(
        dGate, weight: full.weight, inputs: u.shape.channels, kernelSize: kernelSize, on: compute)
    }
    compute.measure("\(name).sum", .inputGradient) {
      FeatureMapSum.add(dThrough, to: &gradient, on: compute)
    }
  }

  private var kept: FeatureMap {
    guard let gate else { preconditionFailure("backward without a forward that kept its maps") }
    return gate
  }
}
