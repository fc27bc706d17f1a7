import Kernels
import NN
import Tensors

/// Runs parts of a step on random maps, as a step runs them.
final class PartRunner {
  private let parts: StepParts
  private let compute: Compute
  private let store: ParameterStore
  private let settings: NormSettings

  /// Takes memory for all parameters; their gradients take it as parts are run.
  init(_ parts: StepParts, on compute: Compute) {
    self.parts = parts
    self.compute = compute
    store = ParameterStore(parts.model.parameters, on: compute)
    store.initialize(seed: 1)
    settings = NormSettings(groups: parts.model.groups, slope: 0.01)
  }

  /// One forward and backward pass of a part, to be called again and again.
  func pass(_ part: StepPart) -> () -> Void {
    switch part.kind {
    case .encoder(let scale): encoder(scale)
    case .down(let scale): down(scale)
    case .decoder(let scale): decoder(scale)
    case .head(let scale): head(scale)
    case .loss: loss()
    case .parameters: parameters()
    }
  }

  private var model: ModelConfiguration { parts.model }

  private func map(_ purpose: String, channelsOf channels: Int? = nil, _ scale: Int) -> FeatureMap {
    let shape = Shape(
      channels: model.channels(atScale: channels ?? scale), extent: parts.extent(atScale: scale))
    return .random(shape, purpose, on: compute)
  }

  /// A gradient that a pass may overwrite.
  private func copy(_ map: FeatureMap) -> FeatureMap {
    var copy = map
    _ = copy.mutablePointer()
    return copy
  }

  private func encoder(_ scale: Int) -> () -> Void {
    var block = model.makeEncoder(settings, in: store)[scale]
    let image = Shape(channels: model.inputs, extent: parts.extent)
    let input: LayerInput =
      scale == 0 ? .image(.random(image, "image")) : .maps([map("input", scale)])
    let gradient = map("gradient", scale)
    return { [self] in
      _ = block.forward(input, keeping: true, on: compute)
      _ = block.output(on: compute)
      let dFirst = block.backward(
        copy(gradient), input: { input }, on: compute, final: { (_: Int) in })
      if scale > 0 { _ = block.inputGradient(dFirst, on: compute) }
      if scale < model.scales - 1 { add(gradient, "encoder.\(scale).skip") }
    }
  }

  private func add(_ gradient: FeatureMap, _ name: String) {
    var sum = copy(gradient)
    compute.measure(name, .inputGradient) {
      FeatureMapSum.add(gradient, to: &sum, on: compute)
    }
  }

  private func down(_ scale: Int) -> () -> Void {
    let layer = model.makeDown(in: store)[scale]
    let (input, gradient) = (map("input", scale), map("gradient", scale + 1))
    return { [compute] in
      _ = layer.forward(.maps([input]), on: compute)
      layer.addGradients(gradient, input: .maps([input]), on: compute)
      _ = layer.inputGradient(gradient, on: compute)
    }
  }

  private func decoder(_ scale: Int) -> () -> Void {
    var stage = model.makeDecoder(settings, in: store)[scale]
    let (input, skip) = (map("input", scale + 1), map("skip", scale))
    let gradient = map("gradient", scale)
    return { [self] in
      _ = stage.forward(input, skip: skip, keeping: true, on: compute)
      _ = stage.output(on: compute)
      let (dRaised, _) = stage.backward(
        copy(gradient), skip: { skip }, on: compute, final: { (_: Int) in })
      _ = stage.backwardRaising(dRaised, x: input, on: compute, final: { (_: Int) in })
    }
  }

  private func head(_ scale: Int) -> () -> Void {
    let head = model.makeHeads(in: store)[scale]
    let shape = Shape(channels: model.outputs, extent: parts.extent(atScale: scale))
    let (input, gradient) = (map("input", scale), VoxelGrid.random(shape, "gradient"))
    return { [self] in
      _ = head.forward(input, on: compute)
      let dInput = head.backward(gradient, input: { input }, on: compute)
      if scale > 0 { add(dInput, "head.\(scale).sum") }
    }
  }

  private func loss() -> () -> Void {
    let logits = (0..<model.heads).map { scale in
      VoxelGrid.random(
        Shape(channels: model.outputs, extent: parts.extent(atScale: scale)), "logits")
    }
    let target = parts.loss.emptyTarget(outputs: model.outputs, extent: parts.extent)
    return { [parts, compute] in _ = parts.loss(logits, target: target, scale: 1, on: compute) }
  }

  private func parameters() -> () -> Void {
    let block = Parameter(
      name: "block.weight", shape: [StepParts.block], offset: 0, initialization: .constant(1))
    let store = ParameterStore([block], on: compute)
    store.initialize(seed: 1)
    let optimizer = Adam(count: store.count)
    return { [compute] in
      store.zeroGradients()
      _ = store.gradientNorm()
      optimizer.update(store, learningRate: 1e-3, on: compute)
    }
  }
}
