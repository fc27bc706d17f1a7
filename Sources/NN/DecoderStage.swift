import Kernels
import Tensors

/// One step up: transposed convolution with norm and leaky ReLU, attention, then a block that
/// reads the attended map and the encoder's skip side by side.
package struct DecoderStage {
  private let channels: Int
  private var up: NormalizedConvolution
  private var attention: AttentionModule?
  private var block: Block

  /// The stage called `name`: `inputs` channels at half the extent become `channels`.
  package init(
    _ name: String, inputs: Int, channels: Int, attention placement: AttentionPlacement?,
    _ settings: NormSettings, in store: ParameterStore
  ) {
    self.channels = channels
    up = NormalizedConvolution(
      Convolution("\(name).up", .transposed, inputs: inputs, outputs: channels, in: store),
      norm: "\(name).upnorm", settings, in: store)
    attention = placement.map {
      AttentionModule("\(name).attention", $0, channels: channels, in: store)
    }
    block = Block(
      "\(name).block", inputs: 2 * channels, outputs: channels, settings, in: store)
  }

  /// The stage's output at the skip's extent; `x` is the coarser stage's output and `inspect` is
  /// shown what the attention is made of.
  package mutating func forward(
    _ x: consuming FeatureMap, skip: consuming FeatureMap, keeping: Bool, on compute: Compute,
    inspect: ((AttentionMaps) -> Void)? = nil
  ) -> FeatureMap {
    let input = joined(
      consume x, skip: consume skip, keeping: keeping, on: compute, inspect: inspect)
    return block.forward(consume input, keeping: keeping, on: compute)
  }

  /// Keeps what backward and `output` need.
  package mutating func prepare(
    _ x: consuming FeatureMap, skip: consuming FeatureMap, on compute: Compute
  ) {
    let input = joined(consume x, skip: consume skip, keeping: true, on: compute)
    block.prepare(consume input, on: compute)
  }

  /// What the block reads: the raised, attended map and the skip.
  private mutating func joined(
    _ x: consuming FeatureMap, skip: consuming FeatureMap, keeping: Bool, on compute: Compute,
    inspect: ((AttentionMaps) -> Void)? = nil
  ) -> LayerInput {
    let raised = up.forward(.maps([consume x]), keeping: keeping, on: compute)
    if let attended = attention?.forward(
      raised, keeping: keeping, on: compute, inspect: inspect)
    {
      return .maps([attended, consume skip])
    }
    return .maps([raised, consume skip])
  }

  /// The output of the last forward or `prepare`, computed again.
  package func output(on compute: Compute) -> FeatureMap { block.output(on: compute) }

  /// Adds the gradients of all parameters but those of the raising and returns the gradients of the
  /// raised map and of `skip`, which is asked for late; `backwardRaising` goes on.
  package mutating func backward<E: Error>(
    _ dy: consuming FeatureMap, skip: () -> FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) -> (dRaised: FeatureMap, dSkip: FeatureMap) {
    let dFirst = try block.backward(
      consume dy,
      input: { [up, attention] in
        let raised = up.output(on: compute)
        return .maps([attention?.output(raised, on: compute) ?? raised, skip()])
      }, on: compute, final: isFinal)
    var (dRaised, dSkip) = block.inputGradient(consume dFirst, on: compute).split(at: channels)
    try attention?.backward(
      &dRaised, input: up.output(on: compute), on: compute, final: isFinal)
    return (dRaised, dSkip)
  }

  /// Adds the gradients of the raising's parameters and returns that of its input `x`.
  package mutating func backwardRaising<E: Error>(
    _ dRaised: consuming FeatureMap, x: FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) -> FeatureMap {
    let dUp = up.backward(consume dRaised, input: { .maps([x]) }, on: compute)
    try isFinal(up.offset)
    return up.inputGradient(consume dUp, on: compute)
  }
}
