import Collectives
import Imaging

/// One call of `lkdist train --fold each`: trains all folds one after another, each in a folder of
/// its own beside the others.
package struct CrossValidation {
  private let options: TrainingRun.Options
  private let world: Communicator
  private let threads: Int?
  private let isQuiet: Bool

  /// - Parameters:
  ///   - options: `output` is the folder of the folds' folders, `runs/<name>` by default.
  ///   - threads: the value of `--threads`, if given.
  package init(
    options: TrainingRun.Options, world: Communicator, threads: Int?, isQuiet: Bool
  ) {
    self.options = options
    self.world = world
    self.threads = threads
    self.isQuiet = isQuiet
  }

  /// Trains each fold into `fold-<number>`; a fold that is finished costs a look at its checkpoint,
  /// so that a call goes on where the one before stopped. Collective.
  ///
  /// - Returns: `finished`, `reachedStepLimit` where `--max-steps` ended a fold, or how the fold ended
  ///   after which no other is begun; the same on every rank.
  package func run() throws -> Trainer.Outcome {
    let plan = try world.shared { try Plan(options) }
    var outcome = Trainer.Outcome.finished
    for (index, fold) in plan.folds.enumerated() {
      var options = options
      options.output = "\(plan.output)/fold-\(fold)"
      options.overrides.append("data.fold=\(fold)")
      if world.rank == 0 && !isQuiet { print("fold \(fold), \(index + 1) of \(plan.folds.count)") }
      let end = try TrainingRun(
        options: options, world: world, threads: threads, isQuiet: isQuiet
      ).run()
      switch end {
      case .finished: break
      case .reachedStepLimit: outcome = end
      case .stopped, .failed: return end
      }
    }
    if world.rank == 0 && !isQuiet && !options.isDryRun && outcome == .finished {
      print("pool the folds with  lkdist evaluate --runs \(plan.output)/fold-*")
    }
    return outcome
  }

  /// What the configuration says, the same for all folds.
  private struct Plan: Codable {
    let folds: [Int]
    let output: String

    init(_ options: TrainingRun.Options) throws {
      let configuration = try Configuration.load(
        options.configuration, overrides: options.overrides)
      folds = try Self.folds(of: configuration.data)
      output = options.output ?? "runs/\(configuration.name)"
    }

    /// Those of the splits file, of the data set itself, or `data.folds` of them.
    private static func folds(of data: Configuration.Data) throws -> [Int] {
      if let splits = data.splits { return Array(0..<(try Folds.count(inFile: splits))) }
      let dataset = try Dataset.load(data.path, layout: data.layout)
      let own = Set(dataset.labeledSubjects.compactMap(\.fold)).sorted()
      return own.isEmpty ? Array(0..<data.folds) : own
    }
  }
}
