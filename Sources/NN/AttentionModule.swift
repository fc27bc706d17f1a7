import Kernels
import Tensors

/// The attention of a decoder stage: one of the kinds that can stand there.
package struct AttentionModule {
  private var decomposed: LKAttention?
  private var whole: WholeKernelAttention?
  private var cbam: CBAM?

  /// The module called `name`, of `channels` channels.
  package init(
    _ name: String, _ placement: AttentionPlacement, channels: Int, in store: ParameterStore
  ) {
    switch placement.kind {
    case .decomposed: decomposed = LKAttention(name, placement, channels: channels, in: store)
    case .whole:
      whole = WholeKernelAttention(name, kernelSize: placement.kernelSize, in: store)
    case .cbam: cbam = CBAM(name, in: store)
    }
  }

  /// The attended map, of u's shape; `inspect` is shown what it is made of, but by `cbam`.
  package mutating func forward(
    _ u: FeatureMap, keeping: Bool, on compute: Compute,
    inspect: ((AttentionMaps) -> Void)? = nil
  ) -> FeatureMap {
    if let y = decomposed?.forward(u, keeping: keeping, on: compute, inspect: inspect) { return y }
    if let y = whole?.forward(u, keeping: keeping, on: compute, inspect: inspect) { return y }
    return cbam?.forward(u, keeping: keeping, on: compute) ?? u
  }

  /// The last forward's output for the same `u`, computed again.
  package func output(_ u: FeatureMap, on compute: Compute) -> FeatureMap {
    decomposed?.output(u, on: compute) ?? whole?.output(u, on: compute)
      ?? cbam?.output(u, on: compute) ?? u
  }

  /// Adds all parameters' gradients, lets go of the cache and turns the gradient of the output into that
  /// of `u`.
  package mutating func backward<E: Error>(
    _ gradient: inout FeatureMap, input u: FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) {
    try decomposed?.backward(&gradient, input: u, on: compute, final: isFinal)
    try whole?.backward(&gradient, input: u, on: compute, final: isFinal)
    try cbam?.backward(&gradient, input: u, on: compute, final: isFinal)
  }
}
