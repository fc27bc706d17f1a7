import Kernels
import Tensors

/// What an attention gate reads: A = sigmoid(gate) is the attention map of `input`.
package struct AttentionMaps: Sendable {
  package let input: FeatureMap
  package let gate: FeatureMap
}

/// The large-kernel attention gate (the paper's Eq. 6 and 7): u + sigmoid(a) u, where
/// a = pointwise(local(dilated(u))) is a K^3 convolution decomposed into three cheap ones.
///
/// Our choice: dilated before local, as in the article's equation; its figure has them swapped.
package struct LKAttention {
  private let name: String
  private let dilated: Convolution
  private let local: Convolution
  private let pointwise: Convolution
  private var kept: (dilated: FeatureMap, local: FeatureMap, gate: FeatureMap)?

  /// The module called `name`, of `channels` channels.
  package init(
    _ name: String, _ placement: AttentionPlacement, channels: Int, in store: ParameterStore
  ) {
    func layer(_ part: String, _ kind: Convolution.Kind) -> Convolution {
      Convolution("\(name).\(part)", kind, inputs: channels, outputs: channels, in: store)
    }
    self.name = name
    dilated = layer(
      "dilated", .depthwise(kernelSize: placement.dilatedSize, dilation: placement.dilation))
    local = layer("local", .depthwise(kernelSize: placement.localSize, dilation: 1))
    pointwise = layer("pointwise", .dense(kernelSize: 1, stride: 1))
  }

  /// The attended map, of u's shape; `inspect` is shown what it is made of.
  package mutating func forward(
    _ u: FeatureMap, keeping: Bool, on compute: Compute,
    inspect: ((AttentionMaps) -> Void)? = nil
  ) -> FeatureMap {
    let dilatedMap = dilated.forward(.maps([u]), on: compute).map
    let localMap = local.forward(.maps([dilatedMap]), on: compute).map
    let gate = pointwise.forward(.maps([localMap]), on: compute).map
    kept = keeping ? (dilatedMap, localMap, gate) : nil
    inspect?(AttentionMaps(input: u, gate: gate))
    return compute.measure(name, .forward) { AttentionGate.forward(u, gate: gate, on: compute) }
  }

  /// The last forward's output for the same `u`, computed again.
  package func output(_ u: FeatureMap, on compute: Compute) -> FeatureMap {
    compute.measure(name, .recompute) {
      AttentionGate.forward(u, gate: cache().gate, on: compute)
    }
  }

  /// Adds all parameters' gradients, lets go of the cache and turns the gradient of the output into that
  /// of `u`.
  package mutating func backward<E: Error>(
    _ gradient: inout FeatureMap, input u: FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) {
    var (dilatedMap, localMap, gate) = cache()
    kept = nil
    compute.measure(name, .inputGradient) {
      AttentionGate.backward(&gradient, u, gate: &gate, on: compute)
    }
    let dLocal = try backward(
      pointwise, consume gate, input: consume localMap, on: compute, final: isFinal)
    let dDilated = try backward(
      local, consume dLocal, input: consume dilatedMap, on: compute, final: isFinal)
    let dThrough = try backward(
      dilated, consume dDilated, input: u, on: compute, final: isFinal)
    compute.measure("\(name).sum", .inputGradient) {
      FeatureMapSum.add(dThrough, to: &gradient, on: compute)
    }
  }

  private func backward<E: Error>(
    _ layer: Convolution, _ dy: consuming FeatureMap, input: consuming FeatureMap,
    on compute: Compute, final isFinal: (Int) throws(E) -> Void
  ) throws(E) -> FeatureMap {
    layer.addGradients(dy, input: .maps([consume input]), on: compute)
    try isFinal(layer.parameters.offset)
    return layer.inputGradient(dy, on: compute)
  }

  private func cache() -> (dilated: FeatureMap, local: FeatureMap, gate: FeatureMap) {
    guard let kept else { preconditionFailure("backward without a forward that kept its maps") }
    return kept
  }
}
