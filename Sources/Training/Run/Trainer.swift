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
  let reducer: GradientReducer
  /// The tree of this rank's samples with `distributed.reproducible`.
  private let tree: GradientTree?
  /// Who keeps which moments with `optimizer.shard`.
  let shards: ShardLayout?
  private let schedule: Schedule
  var badSteps = BadSteps()
  var saving: Saving
  /// What could not be written when it was tried last.
  private var unwritten: Set<String> = []
  /// This epoch's, and this process's, without its first step: nothing can be ready for that.
  private var epochWait = DataWait()
  package private(set) var dataWait = DataWait()
  private var isFirstStep = true
  /// What this rank is doing, for a watchdog.
  package let activity = Activity()
  private let layers: [Int: String]
  private lazy var validator = Validator(
    setup, model: model, world: world, folder: folder, activity: activity, on: compute,
    warn: { [log] in log.logger.warning("\($0)") },
    show: log.takesPictures ? { [log] in log.show($0, subject: $1) } : nil)

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
    let gradients = model.parameters.gradients.slice
    shards = settings.shards(of: gradients.count, ranks: world.size)
    tree =
      settings.distributed.reproducible
      ? GradientTree(gradients, samples: settings.training.accumulate, on: compute) : nil
    optimizer = settings.adam(over: shards?.shards(ofRank: world.rank) ?? [0..<gradients.count])
    reducer = try GradientReducer(
      gradients, bucketFloats: settings.bucketFloats,
      by: settings.distributed.compression.sum(count: gradients.count, keeping: shards),
      over: try world.duplicate())
    schedule = settings.learningRates(globalBatch: world.size * settings.training.accumulate)
    state = CheckpointState(step: 0, epoch: 0, ranks: world.size, seed: settings.seed)
    saving = Saving(
      writer: CheckpointWriter(folder.checkpoints, keep: settings.training.keep))
    layers = Dictionary(
      uniqueKeysWithValues: model.parameters.parameters.map { ($0.offset, $0.layer) })
    model.inspect = { [activity] part, _ in activity.reach(part) }
    reducer.willWait = { [activity] bucket, buckets in
      activity.reach("bucket \(bucket) of \(buckets)")
    }
    if world.size > 1 && !reducer.isConcurrent {
      log.logger.warning(
        "this MPI gives no MPI_THREAD_MULTIPLE: gradients are summed after backward, not during it")
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
    let willPrepare: RunSetup.PreparationWatcher = { [activity] identifier in
      activity.reach("preparing \(identifier)", during: .load)
    }
    let rest = setup.restOfEpoch(state, ranks: world.size)
    let loader = setup.loader(
      of: PatchFeed(rest, rank: world.rank, endEpoch: epochs), willPrepare: willPrepare)
    let ahead = setup.prepareAhead(
      rest, world: world, threads: compute.team.threads, willPrepare: willPrepare)
    defer {
      ahead?.stop()
      loader.stop()
      settleSaving()
      log.end()
    }
    while state.epoch < epochs {
      let plan = setup.restOfEpoch(state, ranks: world.size)
      state.patchesOfEpoch = plan.patches
      for step in 0..<plan.steps {
        if let limit = maximumSteps, state.step >= limit { return try end(.reachedStepLimit) }
        if let outcome = try train(step, of: plan, from: loader) { return outcome }
      }
      try finishEpoch()
    }
    try log.finish()
    return .finished
  }

  private var patchesInRun: Int {
    setup.configuration.training.epochs * setup.epochPlan(0, ranks: world.size).patches
  }

  private func end(_ outcome: Outcome) throws -> Outcome {
    try saveAtEnd()
    try log.finish()
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
    noteWait(clock.seconds)
    let before = state
    state.step += 1
    state.patchesInEpoch += patchesInStep
    remember(report)
    record(report, clock.seconds, step: step, of: plan)
    if let end = try guardAgainstBadStep(report, patches, of: patchesInStep, before: before) {
      return end
    }
    if state.step % setup.configuration.distributed.checkReplicasEvery == 0,
      let failure = try checkReplicas()
    {
      return .failed(failure)
    }
    if report.asksToStop { return try end(.stopped) }
    if report.asksForCheckpoint { try save(last: true) }
    return nil
  }

  private func record(
    _ report: StepReport, _ seconds: StepSeconds, step: Int, of plan: EpochPlan
  ) {
    guard world.rank == 0 else { return }
    let progress = state.progress(of: setup.configuration.training.epochs)
    let done = (progress * Double(patchesInRun)).rounded()
    write("metrics") { () throws(TrainingError) in
      try log.step(
        StepRecord(
          step: state.step, epoch: state.epoch + 1, loss: report.loss,
          learningRate: report.learningRate, gradientNorm: report.gradientNorm, seconds: seconds),
        stepInEpoch: plan.stepsBefore + step + 1, stepsPerEpoch: plan.stepsBefore + plan.steps,
        patchesDone: Int(done))
    }
  }

  /// Writes metrics or their drawing. What does not fit on the disk waits in memory for the next
  /// time: that is no reason to stop, and is told once.
  func write(_ what: String, _ body: () throws(TrainingError) -> Void) {
    do throws(TrainingError) {
      try body()
      unwritten.remove(what)
    } catch {
      if unwritten.insert(what).inserted { log.logger.warning("\(error); training goes on") }
    }
  }

  /// The learning rate of the step that follows.
  var learningRate: Double {
    schedule.learningRate(
      progress: state.progress(of: setup.configuration.training.epochs), step: state.step)
  }

  private func noteWait(_ seconds: StepSeconds) {
    if !isFirstStep {
      epochWait.add(seconds)
      dataWait.add(seconds)
    }
    isFirstStep = false
  }

  /// What one step did, the same on every rank.
  package struct StepReport: Sendable {
    /// The mean loss of the step's patches.
    package let loss: Double
    /// The L2 norm of the summed gradient before clipping.
    package let gradientNorm: Double
    let learningRate: Double
    /// Whether a rank was asked to stop.
    let asksToStop: Bool
    /// Whether the root wants a checkpoint.
    let asksForCheckpoint: Bool
    /// Why the weights were left alone, if they were.
    package let skipReason: SkipReason?
  }

  /// One step of all ranks: forward, backward, allreduce, update.
  ///
  /// - Parameters:
  ///   - patches: this rank's, which may be none.
  ///   - patchesInStep: those of all ranks, by which the loss is divided.
  package func step(
    _ patches: [Patch], of patchesInStep: Int, timedBy clock: inout PhaseClock
  ) throws(CommunicationError) -> StepReport {
    // A rank without a patch must change no sum, not even one of -0.
    model.parameters.zeroGradients(negative: patches.isEmpty)
    // Every patch's loss on its own, to be added in the same order for any number of ranks.
    let first = world.rank * setup.configuration.training.accumulate
    var shared = [Double](repeating: 0, count: patchesInStep + 2)
    for (index, patch) in patches.enumerated() {
      activity.begin(.forward, patch.subject)
      let logits = model.forward(patch.image)
      let result = setup.configuration.criterion(
        logits, target: setup.scheme.target(of: patch), scale: 1 / Float(patchesInStep),
        on: compute)
      shared[first + index] = result.value / Double(patchesInStep)
      clock.end(\.forward)
      activity.begin(.backward, patch.subject)
      backward(result.gradients, isLast: index == patches.count - 1)
      clock.end(\.backward)
    }
    activity.begin(.allreduce)
    try reducer.finish()
    activity.reach("loss")
    shared[patchesInStep] = StopRequest.isMade ? 1 : 0
    shared[patchesInStep + 1] = isCheckpointDue ? 1 : 0
    try world.allreduceSum(&shared)
    activity.begin(.update)
    clock.endAllreduce(reducer)
    let report = try update(
      loss: shared[..<patchesInStep].reduce(0, +), asksToStop: shared[patchesInStep] > 0,
      asksForCheckpoint: shared[patchesInStep + 1] > 0)
    clock.end(\.update)
    return report
  }

  /// Adds a patch's gradients; those of the last are sent as they become final.
  private func backward(_ gradients: [VoxelGrid], isLast: Bool) {
    model.backward(gradients) { firstFinal in
      activity.reach(layers[firstFinal] ?? "")
      guard isLast else { return }
      tree?.gradientsAreFinal(from: firstFinal)
      reducer.gradientsAreFinal(from: firstFinal)
    }
    if !isLast { tree?.sampleEnded() }
  }

  // MARK: - Ends of epochs

  private func finishEpoch() throws {
    state.epoch += 1
    state.patchesInEpoch = 0
    let share = try world.allreduceMax(epochWait.share)
    if let notice = DataWait.notice(share, on: "the rank that waited most") {
      log.logger.info("epoch \(state.epoch): \(notice)")
    }
    epochWait = DataWait()
    let settings = setup.configuration.training
    let isLast = state.epoch == settings.epochs
    let isValidated = isLast || state.epoch % settings.validateEvery == 0
    let isBest = isValidated ? try validate() : false
    write("events") { () throws(TrainingError) in try log.writeEvents() }
    drawProgress()
    if isLast { return try saveAtEnd(best: isBest) }
    try save(last: state.epoch % settings.checkpointEvery == 0, best: isBest)
  }

  private func drawProgress() {
    let names = ScoredClass.scored(of: setup.dataset).map { ($0.key, $0.name) }
    write("drawing") { () throws(TrainingError) in
      try log.drawProgress(
        in: folder, name: setup.configuration.name, epochs: setup.configuration.training.epochs,
        names: Dictionary(names) { first, _ in first })
    }
  }

  /// Scores the validation subjects, and tells on the root whether the weights are the best so far: by
  /// mean Dice, or for want of validation subjects as the newest. Collective.
  private func validate() throws -> Bool {
    settleSaving()
    guard !setup.validation.isEmpty else { return world.rank == 0 }
    guard let scores = try validator.validate() else { return false }
    write("metrics") { () throws(TrainingError) in
      try log.validation(ValidationRecord(scores, step: state.step, epoch: state.epoch))
    }
    let dice = scores.foreground.dice ?? 0
    let isBest = dice > state.bestScore ?? -1
    log.logger.info("\(ValidationRecord.summary(of: scores, epoch: state.epoch, isBest: isBest))")
    guard isBest else { return false }
    saving.scoreBefore = (state.bestScore, state.bestEpoch)
    state.bestScore = dice
    state.bestEpoch = state.epoch
    return true
  }
}
