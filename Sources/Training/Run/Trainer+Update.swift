import Collectives
import NN
import Tensors

// The end of a step: norm, clipping and Adam; sharded, each rank has its part of them.
extension Trainer {
  /// Clips and updates, unless the step is to be skipped: every rank has the same sums, so all agree.
  /// Collective where the moments are sharded.
  ///
  /// - Parameter loss: the mean of the step's patches.
  func update(
    loss: Double, asksToStop: Bool, asksForCheckpoint: Bool
  ) throws(CommunicationError) -> StepReport {
    let norm = try gradientNorm()
    let reason = reasonToSkip(loss: loss, norm: norm)
    let rate = learningRate
    if reason == nil {
      if let limit = setup.configuration.optimizer.maximumGradientNorm {
        model.parameters.clipGradients(in: optimizer.ranges, ofNorm: norm, to: limit)
      }
      optimizer.update(model.parameters, learningRate: rate, on: compute)
      try shareValues()
    }
    return StepReport(
      loss: loss, gradientNorm: norm, learningRate: rate, asksToStop: asksToStop,
      asksForCheckpoint: asksForCheckpoint, skipReason: reason)
  }

  private func reasonToSkip(loss: Double, norm: Double) -> SkipReason? {
    guard loss.isFinite && norm.isFinite else { return .notFinite }
    guard let limit = setup.configuration.training.outlierZScore,
      let deviations = state.norms?.deviations(of: norm), deviations > limit
    else { return nil }
    return .outlier(norm: norm, deviations: deviations)
  }

  /// Keeps the norm of a good step to tell outliers by, if they are looked for.
  func remember(_ report: StepReport) {
    guard setup.configuration.training.outlierZScore != nil, report.skipReason == nil else {
      return
    }
    var norms = state.norms ?? NormHistory()
    norms.add(report.gradientNorm)
    state.norms = norms
  }

  /// The norm of all gradients, the same bits sharded or not.
  private func gradientNorm() throws(CommunicationError) -> Double {
    guard shards != nil else { return model.parameters.gradientNorm() }
    return try model.parameters.gradientNorm(in: optimizer.ranges) {
      squares throws(CommunicationError) in try world.allreduceSum(&squares)
    }
  }

  /// Sends the values of each rank's shards to all.
  private func shareValues() throws(CommunicationError) {
    guard let shards else { return }
    try world.gather(model.parameters.values.slice, shards)
  }
}
