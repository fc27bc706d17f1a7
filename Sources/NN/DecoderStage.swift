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
    let raised = up.forward(.maps([consume x]), keeping: keeping, on: compute)
    let attended =
      attention?.forward(raised, keeping: keeping, on: compute, inspect: inspect) ?? raised
    _ = consume raised
    return block.forward(.maps([attended, consume skip]), keeping: keeping, on: compute)
  }

  /// The last forward's output, computed again.
  package func output(on compute: Compute) -> FeatureMap { block.output(on: compute) }

  /// Adds all parameters' gradients and returns those of `x` and `skip`, which is asked for late.
  package mutating func backward<E: Error>(
    _ dy: consuming FeatureMap, x: FeatureMap, skip: () -> FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) -> (dx: FeatureMap, dSkip: FeatureMap) {
    let dFirst = try block.backward(
      consume dy,
      input: { [up, attention] in
        let raised = up.output(on: compute)
        return .maps([attention?.output(raised, on: compute) ?? raised, skip()])
      }, on: compute, final: isFinal)
    let joined = block.inputGradient(consume dFirst, on: compute)
    let dAttended = joined.channels(0..<channels)
    let dRaised =
      try attention?.backward(
        dAttended, input: up.output(on: compute), on: compute, final: isFinal) ?? dAttended
    let dUp = up.backward(consume dRaised, input: { .maps([x]) }, on: compute)
    try isFinal(up.offset)
    return (up.inputGradient(dUp, on: compute), joined.channels(channels..<2 * channels))
  }
}
