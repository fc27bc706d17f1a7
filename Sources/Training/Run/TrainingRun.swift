import Collectives
import Files
import Foundation
import Imaging
import Kernels
import NN
import Tensors

/// One call of `lkdist train`: reads the configuration, makes the run's folder, trains.
package struct TrainingRun {
  /// Where to go on from.
  package enum Resume: Equatable, Sendable {
    /// The output folder's last checkpoint, if there is one.
    case auto
    case never
    case file(String)

    package init(_ text: String) {
      switch text {
      case "auto": self = .auto
      case "never": self = .never
      default: self = .file(text)
      }
    }
  }

  /// What the command line says.
  package struct Options: Sendable {
    var configuration: String
    var overrides: [String]
    var output: String?
    var resume: Resume
    var weights: String?
    var maximumSteps: Int?
    var isDryRun: Bool
    var command: [String]

    package init(
      configuration: String, overrides: [String] = [], output: String? = nil,
      resume: Resume = .auto, weights: String? = nil, maximumSteps: Int? = nil,
      isDryRun: Bool = false, command: [String] = []
    ) {
      self.configuration = configuration
      self.overrides = overrides
      self.output = output
      self.resume = resume
      self.weights = weights
      self.maximumSteps = maximumSteps
      self.isDryRun = isDryRun
      self.command = command
    }
  }

  private let options: Options
  private let world: Communicator
  private let budget: ThreadBudget
  private let isQuiet: Bool

  package init(
    options: Options, world: Communicator, threads: Int?, isQuiet: Bool
  ) throws(CommunicationError) {
    self.options = options
    self.world = world
    self.isQuiet = isQuiet
    budget = try ThreadBudget.ofThisRank(flag: threads, world: world)
  }

  /// Runs it; the same outcome on every rank.
  package func run() throws -> Trainer.Outcome {
    let configuration = try sharedConfiguration()
    let folder = RunFolder(options.output ?? "runs/\(configuration.name)")
    var setup = try RunSetup(
      configuration, world: world, folder: folder, readsImages: !options.isDryRun)
    let choice = try sharedChoice(in: folder)
    if options.isDryRun { return try rehearse(setup, folder) }
    let log = try openLog(in: folder, setup: setup, choice: choice)
    let skipped = try leaveOutBadSubjects(of: &setup, log)
    let compute = Compute(
      threads: budget.threads, precision: setup.configuration.model.precision)
    let trainer = try Trainer(setup, world: world, folder: folder, log: log, on: compute)
    if let choice {
      try trainer.resume(from: choice.path)
    } else if let weights = options.weights {
      try trainer.startFromWeights(weights)
    }
    let watchdog = try Watchdog(
      trainer.activity, over: world,
      timeout: setup.configuration.distributed.timeoutSeconds
    ) { log.logger.error("\($0)") }
    let outcome = try trainer.run(maximumSteps: options.maximumSteps)
    if let notice = DataWait.notice(trainer.dataWait.share, on: "rank \(world.rank)") {
      log.logger.info("this run's \(notice)")
    }
    log.logger.info("rank \(world.rank) took \(ProcessMemory.peak >> 20) MiB of memory at most")
    log.logger.log(
      level: outcome.isFailure ? .error : .info, "\(ending(outcome, trainer, folder))")
    if skipped > 0 { log.logger.warning("\(Self.leftOut(skipped)) of this run") }
    // No rank leaves before the root has written what the others' ends would cut off.
    trainer.activity.begin(.barrier, "end")
    try world.barrierPatiently()
    watchdog.stop()
    return outcome
  }

  /// Says what would be done and what it would take, and looks at every path.
  private func rehearse(_ setup: RunSetup, _ folder: RunFolder) throws -> Trainer.Outcome {
    if world.rank == 0 {
      try PathCheck(setup: setup, folder: folder, weights: options.weights).check()
      let plan = try PlanRun(PlanRun.Options(), world: world, budget: budget, isQuiet: isQuiet)
        .plan(setup)
      for line in description(of: setup) + [""] + plan.lines { print(line) }
    }
    try world.barrierPatiently()
    return .finished
  }

  /// Leaves out the subjects that cannot be used where the configuration says so; their number.
  private func leaveOutBadSubjects(of setup: inout RunSetup, _ log: RunLog) throws -> Int {
    guard setup.configuration.data.onBadSubject == .skip else { return 0 }
    let count = setup.training.count + setup.validation.count
    log.logger.info("reading all \(count) subjects, for bad ones are skipped")
    let (rest, bad) = try setup.withoutBadSubjects(world: world, threads: budget.threads)
    setup = rest
    for subject in bad {
      log.logger.warning("subject \(subject.identifier) is skipped: \(subject.reason)")
    }
    if !bad.isEmpty {
      let left = "\(rest.training.count) are left to train and \(rest.validation.count) to validate"
      log.logger.warning("\(Self.leftOut(bad.count)): \(left)")
    }
    return bad.count
  }

  private static func leftOut(_ count: Int) -> String {
    count == 1 ? "1 bad subject was left out" : "\(count) bad subjects were left out"
  }

  /// The configuration, read by the root alone so that a mistake is told once.
  private func sharedConfiguration() throws -> Configuration {
    var text = ""
    if world.rank == 0 {
      text = try Configuration.load(options.configuration, overrides: options.overrides)
        .commented()
    }
    return try Configuration.parse(try world.broadcast(text), folder: "/")
  }

  /// The checkpoint to go on from; empty text stands for none on its way to the other ranks.
  ///
  /// `auto` takes the newest that is whole; a file that the user names must be whole itself.
  private func sharedChoice(in folder: RunFolder) throws -> CheckpointFolder.Choice? {
    var choice: CheckpointFolder.Choice?
    if world.rank == 0 {
      switch options.resume {
      case .never: break
      case .file(let file):
        let path = Paths.absolute(file, from: Paths.workingDirectory)
        try Checkpoint(path).verify()
        choice = CheckpointFolder.Choice(path: path)
      case .auto: choice = try folder.checkpoints.newestWhole()
      }
    }
    let path = try world.broadcast(choice?.path ?? "")
    return path.isEmpty ? nil : choice ?? CheckpointFolder.Choice(path: path)
  }

  /// Says which checkpoints are damaged, and takes them out of the way of new ones.
  private func tell(_ choice: CheckpointFolder.Choice, in folder: RunFolder, _ log: RunLog) {
    for damage in choice.damaged {
      let aside = folder.checkpoints.setAside(damage).map { "; it is now \($0)" } ?? ""
      let instead = "going on from the one before, \(choice.path)"
      log.logger.warning(
        "the checkpoint \(damage.path) is damaged: \(damage.reason)\(aside); \(instead)")
    }
  }

  private func openLog(
    in folder: RunFolder, setup: RunSetup, choice: CheckpointFolder.Choice?
  ) throws -> RunLog {
    let hosts = try world.gather(world.hostName)
    let notes = try budget.notes(ofAll: world)
    guard world.rank == 0 else { return .silent }
    // A checkpoint that does not fit is found out before anything of the old run is touched.
    let state = try choice.map { choice throws(TrainingError) in
      try Checkpoint(choice.path)
        .resumableState(with: setup.configuration, labels: setup.scheme.json)
    }
    try folder.create()
    try folder.write(setup.configuration)
    try folder.write(manifest(setup, hosts: hosts ?? []))
    let step = state?.step ?? 0
    let names = ScoredClass.scored(of: setup.dataset).map { ($0.key, $0.name) }
    let events = EventLog(
      in: folder.path, resumingAt: step, configuration: setup.configuration.commented(),
      names: Dictionary(names) { first, _ in first })
    let log = try RunLog(in: folder, resumingAt: step, events: events, isQuiet: isQuiet)
    for note in notes { log.logger.info("\(note)") }
    if let diagnostic = InstructionSet.diagnostic { log.logger.warning("\(diagnostic)") }
    for line in description(of: setup) { log.logger.info("\(line)") }
    log.logger.info("results go to \(folder.path)")
    if let choice { tell(choice, in: folder, log) }
    return log
  }

  private func manifest(_ setup: RunSetup, hosts: [String]) -> Manifest {
    Manifest(
      versions: [("lkdist", Version.current)], command: options.command, hosts: hosts,
      ranks: world.size, threads: budget.threads, instructionSet: InstructionSet.active,
      datasetHash: setup.dataset.hash)
  }

  private func description(of setup: RunSetup) -> [String] {
    let configuration = setup.configuration
    return [
      "lkdist \(Version.current): \(world.size) rank\(world.size == 1 ? "" : "s") x "
        + "\(budget.threads) thread\(budget.threads == 1 ? "" : "s") (\(budget.source.rawValue)), "
        + InstructionSet.active,
      "data \(setup.dataset.name): of \(setup.dataset.subjects.count) subjects "
        + "\(setup.training.count) to train and \(setup.validation.count) to validate, channels "
        + setup.dataset.channelNames.joined(separator: ", "),
    ] + setup.dataset.notes + [
      setup.cacheFolder.map { "prepared volumes are kept in \($0)" }
        ?? "volumes are prepared each time they are needed (data.cache: none)",
      "model: \(setup.model.parameterCount) parameters, patch "
        + "\(configuration.patchExtent), \(configuration.training.epochs) epochs of "
        + "\(setup.epochPlan(0, ranks: world.size).steps) steps",
    ] + costs(setup)
  }

  /// What the configured exactness and sharding cost and save, a rank.
  private func costs(_ setup: RunSetup) -> [String] {
    let configuration = setup.configuration
    let block = 4 * setup.model.parameterCount
    func size(_ bytes: Int) -> String { String(format: "%.1f MiB", Double(bytes) / 1_048_576) }
    var lines: [String] = []
    if configuration.distributed.reproducible {
      let accumulate = configuration.training.accumulate
      let levels = GradientTree.levels(accumulate)
      lines.append(
        "reproducible: the same bits for any ranks x accumulate = \(world.size * accumulate); "
          + "\(levels) more blocks of gradients take \(size(levels * block)) a rank")
    }
    if configuration.optimizer.shard {
      lines.append(
        "sharded: Adam's moments take \(size(2 * block / world.size)) a rank instead of "
          + "\(size(2 * block)); the root holds all of them while it writes a checkpoint")
    }
    return lines
  }

  private func ending(
    _ outcome: Trainer.Outcome, _ trainer: Trainer, _ folder: RunFolder
  ) -> String {
    let state = trainer.state
    switch outcome {
    case .finished:
      let best = state.bestScore.map { String(format: ", best validation Dice %.4f", $0) } ?? ""
      return "finished: \(state.epoch) epochs, \(state.step) steps\(best); "
        + "best weights in \(folder.checkpoints.best)"
    case .reachedStepLimit:
      return "stopped after \(state.step) steps as asked; run again to go on"
    case .stopped:
      return "stopped on a signal or time limit after step \(state.step); run again to go on"
    case .failed(let error): return "\(error)"
    }
  }
}

extension Dataset {
  /// A hash over the identifiers and sizes of the data set's files.
  var hash: String {
    let sum = Hash()
    for subject in subjects {
      for path in subject.files {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let size = attributes?[.size] as? Int ?? -1
        sum.update(Array("\(subject.identifier)\t\(Paths.name(of: path))\t\(size)\n".utf8))
      }
    }
    return sum.hexadecimal()
  }
}
