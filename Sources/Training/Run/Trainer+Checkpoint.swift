import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// What a trainer knows of its checkpoints; on the root only.
struct Saving {
  let writer: CheckpointWriter
  var memory = SnapshotMemory()
  /// When the copy of the newest `last` was made.
  var lastCopy = ContinuousClock.now
  /// The best score before the newest one: what counts if that one's weights cannot be written.
  var scoreBefore: (score: Double?, epoch: Int?) = (nil, nil)
}

extension Trainer {
  // MARK: - Going on

  /// Goes on from a checkpoint: the root reads it and sends it to the others.
  ///
  /// The run may have had another number of ranks: it goes on at the same patch of the epoch.
  /// - Throws: `configuration` for another architecture or label list; `damaged`.
  package func resume(from path: String) throws {
    let moments = momentsToFill()
    if let moments { state = try read(path, moments) }
    try world.broadcast(model.parameters.values.slice)
    try spread(moments)
    let encoded = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
    let shared = try world.broadcast(encoded)
    state = try JSONDecoder().decode(CheckpointState.self, from: Data(shared.utf8))
    let before = state.ranks
    state.ranks = world.size
    optimizer.step = state.updates
    let place = "going on from \(path), step \(state.step)"
    let change = before == world.size ? "" : ", with \(world.size) ranks, \(before) before"
    log.logger.info("\(place)\(change)")
  }

  private func read(
    _ path: String, _ moments: WholeMoments
  ) throws(TrainingError) -> CheckpointState {
    let checkpoint = try Checkpoint(path)
    let state = try checkpoint.resumableState(with: setup.configuration, labels: setup.scheme.json)
    let parameters = model.parameters
    try checkpoint.load(
      weights: parameters.namedValues, first: parameters.named(in: moments.first),
      second: parameters.named(in: moments.second))
    return state
  }

  /// Starts from the weights of another run: the root reads them and sends them to the others.
  package func startFromWeights(_ path: String) throws {
    if world.rank == 0 { try Checkpoint(path).load(weights: model.parameters.namedValues) }
    try world.broadcast(model.parameters.values.slice)
  }

  // MARK: - Saving

  /// Whether `training.checkpointMinutes` are over since the last copy; on the root, which decides
  /// for all ranks. Never while a write is under way: training does not wait for the disk here.
  var isCheckpointDue: Bool {
    guard world.rank == 0, let minutes = setup.configuration.training.checkpointMinutes else {
      return false
    }
    return saving.writer.isIdle && ContinuousClock.now - saving.lastCopy >= .seconds(60 * minutes)
  }

  /// Copies the state and has it written while training goes on. All ranks come here for `last`.
  ///
  /// A file that cannot be written is told in the log; training goes on.
  func save(last: Bool, best: Bool = false) throws(CommunicationError) {
    try startSaving(last: last, best: best) { [log] error in
      log.logger.warning("\(error); training goes on and the next checkpoint tries again")
    }
  }

  /// Writes `last`, and `best` before it if asked, and returns when they are on the disk.
  ///
  /// - Throws: `inputOutput` if they could not be written: nothing is lost without a word;
  ///   `CommunicationError`.
  func saveAtEnd(best: Bool = false) throws {
    try startSaving(last: true, best: best) { _ in }
    guard let failure = settleSaving() else { return }
    throw TrainingError.inputOutput(
      "\(failure.error), then run again: it goes on from the checkpoint before, if there is one")
  }

  private func startSaving(
    last: Bool, best: Bool, report: @escaping @Sendable (TrainingError) -> Void
  ) throws(CommunicationError) {
    // A run that goes on from here has no rounding errors to make good; without these, this run has
    // the same bits.
    if last { reducer.forget() }
    let moments = last ? try wholeMoments() : nil
    guard last || best, world.rank == 0 else { return }
    settleSaving()
    write("events") { () throws(TrainingError) in try log.writeEvents() }
    activity.begin(.checkpoint, "copy")
    let snapshot = snapshot(with: moments)
    if last { saving.lastCopy = .now }
    let kinds: [CheckpointWriter.Kind] = (best ? [.best] : []) + (last ? [.last] : [])
    saving.writer.start(snapshot, as: kinds, report: report)
  }

  /// Waits for the write under way.
  ///
  /// A best score whose weights could not be written does not count: a later one may replace it.
  @discardableResult func settleSaving() -> CheckpointWriter.Failure? {
    guard world.rank == 0 else { return nil }
    if !saving.writer.isIdle { activity.begin(.checkpoint, "waiting for the disk") }
    let failure = saving.writer.wait { activity.reach($0) }
    if failure?.kind == .best {
      (state.bestScore, state.bestEpoch) = saving.scoreBefore
    }
    return failure
  }

  private func snapshot(with moments: WholeMoments?) -> CheckpointSnapshot {
    let parameters = model.parameters
    let blocks = moments.map { [$0.first, $0.second] } ?? []
    let copies = saving.memory.copies(of: [parameters.values] + blocks)
      .map(parameters.named(in:))
    return CheckpointSnapshot(
      weights: copies[0], first: blocks.isEmpty ? [] : copies[1],
      second: blocks.isEmpty ? [] : copies[2], metadata: metadata)
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
