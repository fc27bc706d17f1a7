import Tensors

/// A training step and an inference run without computing: the layers that they call, the memory that they
/// take and the order in which gradients become final are those of a real step.
package struct StepRehearsal {
  /// Gradients of the flat offsets `offset` and up are final after these calls.
  package struct Release {
    package let offset: Int
    package let calls: [Profile.Entry]
  }

  /// Everything that a step calls, in the order of first use.
  package let calls: [Profile.Entry]
  /// What of it comes before the first gradient: forward pass and loss.
  package let forwardCalls: [Profile.Entry]
  /// The moments at which gradients become final, from the end of the flat block to its start.
  package let releases: [Release]
  /// What one inference calls.
  package let inferenceCalls: [Profile.Entry]
  /// Bytes of the pool at the step's peak: feature maps, logits and what kernels work in.
  package let poolBytes: Int

  /// Rehearses a step of `model` on a patch of `extent`.
  ///
  /// - Parameter threads: those of the rank; kernels take memory for each.
  /// - Throws: `ModelError` for a network outside the model domain.
  package init(
    _ model: ModelConfiguration, loss: Loss, extent: Extent, recompute: Recompute = .none,
    threads: Int, precision: Precision = .fast
  ) throws(ModelError) {
    try model.validate(patch: extent)
    let profile = Profile()
    let compute = Compute(rehearsing: threads, precision: precision, profile: profile)
    let network = try LKUNet(model, recompute: recompute, on: compute, seed: 1)
    let image = VoxelGrid(zeros: Shape(channels: model.inputs, extent: extent))
    network.parameters.zeroGradients()
    let target = loss.emptyTarget(outputs: model.outputs, extent: extent)
    let result = loss(network.forward(image), target: target, scale: 1, on: compute)
    forwardCalls = profile.entries
    var releases: [Release] = []
    network.backward(result.gradients) {
      releases.append(Release(offset: $0, calls: profile.entries))
    }
    self.releases = releases
    _ = network.parameters.gradientNorm()
    Adam(count: network.parameters.count)
      .update(network.parameters, learningRate: 0, on: compute)
    calls = profile.entries
    poolBytes = compute.pool.peak * MemoryLayout<Float>.stride
    profile.reset()
    _ = network.infer(image)
    inferenceCalls = profile.entries
  }
}

extension Loss {
  /// A target of nothing but background.
  package func emptyTarget(outputs: Int, extent: Extent) -> Target {
    switch self {
    case .diceBCE: .regions(VoxelGrid(zeros: Shape(channels: outputs, extent: extent)))
    case .diceCE, .weightedDice: .labels([Int16](repeating: 0, count: extent.voxels))
    }
  }
}
