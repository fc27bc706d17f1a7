import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// Trains one replica per rank: the loop over epochs and steps.
///
/// A world of one rank runs the same code.
package final class Trainer {
  let setup: RunSetup
  let world: Communicator
  let compute: Compute
  package let model: LKUNet
  package let optimizer: Adam
  package let folder: RunFolder
  let log: RunLog
  package internal(set) var state: CheckpointState
  private let reducer: GradientReducer
  private let schedule: Schedule
  private let patchesInRun: Int
  var badSteps = BadSteps()
  /// What this rank is doing, for a watchdog.
  package let activity = Activity()
  private let layers: [Int: String]
  private lazy var validator = Validator(
    setup, model: model, world: world, folder: folder, activity: activity, on: compute)

  /// Builds the replica of this rank, with the parameters of the root; `state` says where to go on.
  package init(
    _ setup: RunSetup, world: Communicator, folder: RunFolder, log: RunLog, on compute: Compute
  ) throws {
    let settings = setup.configuration
    self.setup = setup
    self.world = world
    self.compute = compute
    self.folder = folder
    self.log = log
    model = try LKUNet(
      setup.model, recompute: settings.training.recompute, on: compute, seed: UInt64(settings.seed))
    optimizer = Adam(
      count: model.parameters.count, beta1: settings.optimizer.beta1,
      beta2: settings.optimizer.beta2, epsilon: settings.optimizer.epsilon,
      weightDecay: settings.optimizer.weightDecay)
    reducer = GradientReducer(
      model.parameters.gradients.slice, bucketMiB: settings.distributed.bucketMiB,
      over: try world.duplicate())
    schedule = settings.learningRates(globalBatch: world.size * settings.training.accumulate)
    patchesInRun =
      settings.training.epochs * setup.epochPlan(0, ranks: world.size).patches
    state = CheckpointState(
      step: 0, epoch: 0, patchesDone: 0, ranks: world.size, seed: settings.seed)
    layers = Dictionary(
      uniqueKeysWithValues: model.parameters.parameters.map { ($0.offset, $0.layer) })
    model.inspect = { [activity] part, _ in activity.reach(part) }
    reducer.willWait = { [activity] bucket, buckets in
      activity.reach("bucket \(bucket) of \(buckets)")
    }
    try world.broadcast(model.parameters.values.slice)
  }

  /// Trains from `state` to the end of the last epoch, to step `maximumSteps` of the run, or until
  /// a rank is asked to stop.
  ///
  /// - Throws: `ImagingError`, `CommunicationError` or `TrainingError`; the last checkpoint stands.
  package func run(maximumSteps: Int? = nil) throws -> Outcome {
    let epochs = setup.configuration.training.epochs
    guard state.epoch < epochs else { return .finished }
    log.begin(patches: patchesInRun, epochs: epochs)
    let loader = setup.loader(
      from: state.epoch, step: stepInEpoch, rank: world.rank, ranks: world.size)
    defer {
      loader.stop()
      log.end()
    }
    while state.epoch < epochs {
      let plan = setup.epochPlan(state.epoch, ranks: world.size)
      for step in stepInEpoch..<plan.steps {
        if let limit = maximumSteps, state.step >= limit { return try end(.reachedStepLimit) }
        if let outcome = try train(step, of: plan, from: loader) { return outcome }
      }
      try finishEpoch()
    }
    return .finished
  }

  /// How many steps of the current epoch are done.
  private var stepInEpoch: Int {
    state.patchesInEpoch / (world.size * setup.configuration.training.accumulate)
  }

  private func end(_ outcome: Outcome) throws -> Outcome {
    try saveLast()
    return outcome
  }

  // MARK: - Steps

  /// Runs one step of the run; how the run ended, if it did.
  private func train(
    _ step: Int, of plan: EpochPlan, from loader: PatchLoader
  ) throws -> Outcome? {
    activity.begin(.load, step: state.step + 1)
    var clock = PhaseClock()
    let requests = plan.patches(step: step, rank: world.rank)
    var patches: [Patch] = []
    for _ in requests { patches.append(try loader.next()) }
    clock.end(\.data)
    let patchesInStep = plan.patchesInStep(step)
    let report = try self.step(patches, of: patchesInStep, timedBy: &clock)
    let before = state
    state.step += 1
    state.patchesDone += patchesInStep
    state.patchesInEpoch += patchesInStep
    if world.rank == 0 {
      try log.step(
        StepRecord(
          step: state.step, epoch: state.epoch + 1, loss: report.loss,
          learningRate: report.learningRate, gradientNorm: report.gradientNorm,
          seconds: clock.seconds),
        stepInEpoch: step + 1, stepsPerEpoch: plan.steps, patchesDone: state.patchesDone)
    }
    if let end = try guardAgainstBadStep(report, patches, of: patchesInStep, before: before) {
      return end
    }
    if state.step % setup.configuration.distributed.checkReplicasEvery == 0,
      let failure = try checkReplicas()
    {
      return .failed(failure)
    }
    return report.asksToStop ? try end(.stopped) : nil
  }

  /// What one step did, the same on every rank.
  package struct StepReport: Sendable {
    /// The mean loss of the step's patches.
    package let loss: Double
    /// The L2 norm of the summed gradient before clipping.
    package let gradientNorm: Double
    let learningRate: Double
    let asksToStop: Bool
    package var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
  }

  /// One step of all ranks: forward, backward, allreduce, update.
  ///
  /// - Parameters:
  ///   - patches: this rank's, which may be none.
  ///   - patchesInStep: those of all ranks, by which the loss is divided.
  package func step(
    _ patches: [Patch], of patchesInStep: Int, timedBy clock: inout PhaseClock
  ) throws(CommunicationError) -> StepReport {
    model.parameters.zeroGradients()
    var loss = 0.0
    for (index, patch) in patches.enumerated() {
      activity.begin(.forward, patch.subject)
      let logits = model.forward(patch.image)
      let result = setup.configuration.criterion(
        logits, target: setup.scheme.target(of: patch), scale: 1 / Float(patchesInStep),
        on: compute)
      loss += result.value / Double(patchesInStep)
      clock.end(\.forward)
      activity.begin(.backward, patch.subject)
      try model.backward(result.gradients) { firstFinal throws(CommunicationError) in
        activity.reach(layers[firstFinal] ?? "")
        if index == patches.count - 1 { try reducer.gradientsAreFinal(from: firstFinal) }
      }
      clock.end(\.backward)
    }
    activity.begin(.allreduce)
    try reducer.finish()
    activity.reach("loss")
    let stop = StopRequest.isMade ? 1.0 : 0
    var shared = [loss, stop]
    try world.allreduceSum(&shared)
    activity.begin(.update)
    clock.moveExposed(reducer)
    let report = update(loss: shared[0], asksToStop: shared[1] > 0)
    clock.end(\.update)
    return report
  }

  /// Clips and updates, unless a number is not finite: every rank has the same sums, so all agree.
  private func update(loss: Double, asksToStop: Bool) -> StepReport {
    let limit = setup.configuration.optimizer.maximumGradientNorm.map(Float.init)
    let norm = model.parameters.clipGradients(toNorm: limit)
    let progress = Double(state.patchesDone) / Double(patchesInRun)
    let rate = schedule.learningRate(progress: progress, step: state.step)
    let report = StepReport(
      loss: loss, gradientNorm: norm, learningRate: rate, asksToStop: asksToStop)
    if report.isFinite {
      optimizer.update(model.parameters, learningRate: rate, on: compute)
    }
    return report
  }

  // MARK: - Ends of epochs

  private func finishEpoch() throws {
    state.epoch += 1
    state.patchesInEpoch = 0
    let settings = setup.configuration.training
    let isLast = state.epoch == settings.epochs
    if isLast || state.epoch % settings.validateEvery == 0 { try validate() }
    if isLast || state.epoch % settings.checkpointEvery == 0 { try saveLast() }
  }

  /// Scores the validation subjects; a better mean Dice than before is kept as `best`. Collective.
  ///
  /// A run without validation subjects keeps its newest weights as `best`.
  private func validate() throws {
    guard !setup.validation.isEmpty else { return try saveBest() }
    guard let scores = try validator.validate() else { return }
    try log.validation(ValidationRecord(scores, step: state.step, epoch: state.epoch))
    let dice = scores.foreground.dice ?? 0
    let isBest = dice > state.bestScore ?? -1
    log.logger.info("\(ValidationRecord.summary(of: scores, epoch: state.epoch, isBest: isBest))")
    guard isBest else { return }
    state.bestScore = dice
    state.bestEpoch = state.epoch
    try saveBest()
  }
}
