import Kernels
import Tensors

/// The large-kernel attention U-Net: an encoder of `scales` scales, a decoder with attention, and
/// a head for every decoder stage but the lowest (deep supervision).
///
/// Between `forward` and `backward` each layer keeps one map; `backward` takes them out as it goes.
/// With `Recompute.blocks` only what goes from stage to stage is kept, and `backward` runs each
/// stage forward once more but the finest decoder stage, which is the last one forward and the first back.
package final class LKUNet {
  package let configuration: ModelConfiguration
  /// All parameters and their gradients, in the order of the forward pass.
  package let parameters: ParameterStore
  private let compute: Compute
  private var encoder: [Block]
  private let down: [Convolution]
  private var decoder: [DecoderStage]
  private let heads: [OutputHead]
  private let recomputes: Bool
  private var encoderInputs: [LayerInput] = []
  // With Recompute.blocks only: the outputs of the stages that other stages read, finest first.
  private var encoderOutputs: [FeatureMap] = []
  private var decoderOutputs: [FeatureMap] = []
  /// Called with the name and the output of every part as a forward pass leaves it.
  package var inspect: ((_ part: String, _ output: FeatureMap) -> Void)?
  /// Called with the scale and the maps of every attention gate during a forward pass.
  package var inspectAttention: ((_ scale: Int, _ maps: AttentionMaps) -> Void)?

  /// A network with parameters drawn from `seed`.
  ///
  /// - Parameter slope: of the leaky ReLU below 0; anything but the paper's 0.01 is for tests.
  /// - Throws: `ModelError` if the configuration is outside the model domain.
  package init(
    _ configuration: ModelConfiguration, recompute: Recompute = .none, on compute: Compute,
    seed: UInt64, slope: Float = 0.01
  ) throws(ModelError) {
    try configuration.validate()
    let store = ParameterStore(configuration.parameters, on: compute)
    let settings = NormSettings(groups: configuration.groups, slope: slope)
    self.configuration = configuration
    recomputes = recompute == .blocks
    self.compute = compute
    parameters = store
    encoder = configuration.makeEncoder(settings, in: store)
    down = configuration.makeDown(in: store)
    decoder = configuration.makeDecoder(settings, in: store)
    heads = configuration.makeHeads(in: store)
    store.initialize(seed: seed)
  }

  /// The logits of every head, finest first; keeps what `backward` needs.
  package func forward(_ image: VoxelGrid) -> [VoxelGrid] {
    var logits: [VoxelGrid] = []
    run(image, keeping: true) { scale, output in
      guard scale < heads.count else { return }
      logits.insert(heads[scale].forward(output, on: compute), at: 0)
    }
    return logits
  }

  /// The logits of the finest head; keeps nothing.
  package func infer(_ image: VoxelGrid) -> VoxelGrid {
    heads[0].forward(run(image, keeping: false) { _, _ in }, on: compute)
  }

  /// Adds every parameter's gradient, given those of the logits of the last `forward`.
  ///
  /// After each layer calls `final(k)`: gradients of the flat offsets k and up are final.
  /// - Throws: what `final` throws; the caches are then half used and need a new `forward`.
  package func backward<E: Error>(
    _ gradients: [VoxelGrid], final isFinal: (Int) throws(E) -> Void
  ) throws(E) {
    precondition(
      gradients.count == heads.count, "\(gradients.count) gradients for \(heads.count) heads")
    var (dy, dSkips) = try decoderBackward(gradients, isFinal)
    for scale in encoder.indices.reversed() {
      let input = encoderInputs.removeLast()
      if recomputes {
        encoderOutputs.removeLast()
        encoder[scale].prepare(input, on: compute)
      }
      let dFirst = try encoder[scale].backward(
        consume dy, input: { input }, on: compute, final: isFinal)
      guard scale > 0 else { return }
      let dDown = encoder[scale].inputGradient(consume dFirst, on: compute)
      down[scale - 1].addGradients(
        dDown, input: .maps([encoderOutput(scale - 1)]), on: compute)
      try isFinal(down[scale - 1].parameters.offset)
      dy = down[scale - 1].inputGradient(consume dDown, on: compute)
      let dSkip = dSkips.removeLast()
      compute.measure("encoder.\(scale - 1).skip", .inputGradient) {
        FeatureMapSum.add(dSkip, to: &dy, on: compute)
      }
    }
  }

  /// Runs the network and calls `visit(scale, output)` for each decoder stage, deepest first.
  @discardableResult private func run(
    _ image: VoxelGrid, keeping: Bool, visit: (Int, FeatureMap) -> Void
  ) -> FeatureMap {
    checkImage(image)
    var skips = encode(image, keeping: keeping)
    decoderOutputs = []
    var x = skips.removeLast()
    for scale in decoder.indices.reversed() {
      x = decoder[scale].forward(
        consume x, skip: skips.removeLast(), keeping: keeping && !isPrepared(scale),
        on: compute, inspect: inspectAttention.map { inspect in { inspect(scale, $0) } })
      if keeping && isPrepared(scale) { decoderOutputs.insert(x, at: 0) }
      inspect?("decoder.\(scale)", x)
      visit(scale, x)
    }
    return x
  }

  /// Every encoder scale's output, finest first.
  private func encode(_ image: VoxelGrid, keeping: Bool) -> [FeatureMap] {
    encoderInputs = []
    var input = LayerInput.image(image)
    var outputs: [FeatureMap] = []
    for scale in encoder.indices {
      if scale > 0 {
        input = .maps([down[scale - 1].forward(.maps([outputs[scale - 1]]), on: compute).map])
      }
      if keeping { encoderInputs.append(input) }
      outputs.append(
        encoder[scale].forward(input, keeping: keeping && !recomputes, on: compute))
      inspect?("encoder.\(scale)", outputs[scale])
    }
    encoderOutputs = keeping && recomputes ? outputs : []
    return outputs
  }

  /// The gradients of the deepest encoder output and of every skip, finest first.
  private func decoderBackward<E: Error>(
    _ gradients: [VoxelGrid], _ isFinal: (Int) throws(E) -> Void
  ) throws(E) -> (FeatureMap, [FeatureMap]) {
    var dSkips: [FeatureMap] = []
    var dy = heads[0].backward(gradients[0], input: { decoderOutput(0) }, on: compute)
    try isFinal(heads[0].offset)
    for scale in decoder.indices {
      if isPrepared(scale) {
        decoderOutputs.removeFirst()
        decoder[scale].prepare(
          stageInput(scale), skip: encoderOutput(scale), on: compute)
      }
      let (dRaised, dSkip) = try decoder[scale].backward(
        consume dy, skip: { encoderOutput(scale) }, on: compute, final: isFinal)
      dSkips.append(consume dSkip)
      let x = stageInput(scale)
      dy = try decoder[scale].backwardRaising(
        consume dRaised, x: x, on: compute, final: isFinal)
      if scale + 1 < heads.count {
        let dOutput = heads[scale + 1].backward(gradients[scale + 1], input: { x }, on: compute)
        compute.measure("head.\(scale + 1).sum", .inputGradient) {
          FeatureMapSum.add(dOutput, to: &dy, on: compute)
        }
        try isFinal(heads[scale + 1].offset)
      }
    }
    return (dy, dSkips)
  }

  /// What a decoder stage raised: the coarser stage's output, or the deepest encoder's.
  private func stageInput(_ scale: Int) -> FeatureMap {
    scale + 1 < decoder.count ? decoderOutput(scale + 1) : encoderOutput(scale + 1)
  }

  private func encoderOutput(_ scale: Int) -> FeatureMap {
    recomputes ? encoderOutputs[scale] : encoder[scale].output(on: compute)
  }

  /// Whether `backward` runs a decoder stage forward once more.
  private func isPrepared(_ scale: Int) -> Bool { recomputes && scale > 0 }

  // The stages finer than `scale` are done with, and so are their outputs.
  private func decoderOutput(_ scale: Int) -> FeatureMap {
    isPrepared(scale)
      ? decoderOutputs[scale - (decoder.count - decoderOutputs.count)]
      : decoder[scale].output(on: compute)
  }

  private func checkImage(_ image: VoxelGrid) {
    let multiple = configuration.patchMultiple
    precondition(
      image.shape.channels == configuration.inputs
        && image.shape.extent.zyx.allSatisfy { $0 > 0 && $0 % multiple == 0 },
      "image \(image.shape) for \(configuration.inputs) channels in multiples of \(multiple)")
  }
}
