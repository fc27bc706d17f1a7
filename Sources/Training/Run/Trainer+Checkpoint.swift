import Collectives
import Foundation
import Imaging
import NN
import Tensors

extension Trainer {
  /// Goes on from a checkpoint: the root reads it and sends it to the others.
  ///
  /// - Throws: `configuration` for another architecture, label list or seed; `inputOutput` for a
  ///   damaged file.
  package func resume(from path: String) throws {
    if world.rank == 0 { state = try adapted(try read(path), path) }
    try broadcastState()
    let encoded = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
    let shared = try world.broadcast(encoded)
    state = try JSONDecoder().decode(CheckpointState.self, from: Data(shared.utf8))
    optimizer.step = state.updates
  }

  /// The state for this number of ranks: the schedule goes on at the same share of the run.
  private func adapted(
    _ state: CheckpointState, _ path: String
  ) throws(TrainingError) -> CheckpointState {
    let patchesInStep = world.size * setup.configuration.training.accumulate
    let plan = setup.epochPlan(state.epoch, ranks: world.size)
    guard state.patchesInEpoch % patchesInStep == 0, state.patchesInEpoch <= plan.patches else {
      throw .configuration(
        "\(path) stopped \(state.patchesInEpoch) patches into an epoch, which steps of "
          + "\(patchesInStep) patches do not reach; go on with \(state.ranks) ranks")
    }
    var state = state
    state.patchesDone = state.epoch * plan.patches + state.patchesInEpoch
    state.ranks = world.size
    return state
  }

  private func read(_ path: String) throws(TrainingError) -> CheckpointState {
    let checkpoint = try Checkpoint(path)
    let state = try checkpoint.resumableState(with: setup.configuration, labels: setup.scheme.json)
    let parameters = model.parameters
    try checkpoint.load(
      weights: parameters.namedValues, first: parameters.named(in: optimizer.first),
      second: parameters.named(in: optimizer.second))
    return state
  }

  /// Starts from the weights of another run: the root reads them and sends them to the others.
  package func startFromWeights(_ path: String) throws {
    if world.rank == 0 { try Checkpoint(path).load(weights: model.parameters.namedValues) }
    try world.broadcast(model.parameters.values.slice)
  }

  /// Writes `last`, from which a run goes on; on the root only, but every rank comes here.
  func saveLast() throws(TrainingError) {
    // A run that goes on from here has no rounding errors to make good; without these, this run has
    // the same bits.
    reducer.forget()
    guard world.rank == 0 else { return }
    activity.begin(.checkpoint, "last")
    let parameters = model.parameters
    try Checkpoint.write(
      to: folder.lastCheckpoint, weights: parameters.namedValues,
      first: parameters.named(in: optimizer.first), second: parameters.named(in: optimizer.second),
      metadata: metadata)
  }

  /// Writes `best`, weights only; on the root only.
  func saveBest() throws(TrainingError) {
    guard world.rank == 0 else { return }
    activity.begin(.checkpoint, "best")
    try Checkpoint.write(
      to: folder.bestCheckpoint, weights: model.parameters.namedValues, metadata: metadata)
  }

  private var metadata: CheckpointMetadata {
    var state = state
    state.updates = optimizer.step
    return CheckpointMetadata(
      state: state, configuration: setup.configuration, labels: setup.scheme.json,
      intensities: .intensities(setup.intensities))
  }
}

extension JSON {
  /// Statistics as a checkpoint keeps them; null for none.
  static func intensities(_ statistics: [IntensityStatistics]) -> JSON {
    guard !statistics.isEmpty else { return .null }
    return .array(
      statistics.map {
        [
          "lower": .number($0.lower), "upper": .number($0.upper), "mean": .number($0.mean),
          "deviation": .number($0.deviation),
        ]
      })
  }

  /// The statistics that a checkpoint keeps.
  var intensities: [IntensityStatistics] {
    (array ?? []).compactMap { entry in
      guard let lower = entry["lower"]?.number, let upper = entry["upper"]?.number,
        let mean = entry["mean"]?.number, let deviation = entry["deviation"]?.number
      else { return nil }
      return IntensityStatistics(lower: lower, upper: upper, mean: mean, deviation: deviation)
    }
  }
}

extension ValidationRecord {
  /// The record of a validation's mean scores.
  init(_ scores: Scores, step: Int, epoch: Int) {
    let keys = scores.classes.map(\.key) + ["foreground"]
    let means = scores.classMeans + [scores.foreground]
    self.init(
      step: step, epoch: epoch, dice: zip(keys, means).map { ($0, $1.dice) },
      hd95: zip(keys, means).map { ($0, $1.hd95) })
  }

  /// A line for the log.
  static func summary(of scores: Scores, epoch: Int, isBest: Bool) -> String {
    func text(_ value: Double?, _ format: String) -> String {
      value.map { String(format: format, $0) } ?? "-"
    }
    let classes = zip(scores.classes, scores.classMeans).map { kind, score in
      "\(kind.name) \(text(score.dice, "%.3f")), \(text(score.hd95, "%.2f")) mm"
    }
    return "epoch \(epoch): validation Dice \(text(scores.foreground.dice, "%.4f")), "
      + "HD95 \(text(scores.foreground.hd95, "%.2f")) mm (\(classes.joined(separator: "; ")))"
      + (isBest ? ", best so far" : "")
  }
}
