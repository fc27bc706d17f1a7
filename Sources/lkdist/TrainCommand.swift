import ArgumentParser
import Collectives
import Foundation
import Training

/// `lkdist train`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network: alone, under `mpirun -n N`, or under `srun`.",
    discussion: """
      Goes on where the output folder's last checkpoint stopped. Examples:
        mpirun -n 8 lkdist train
        lkdist train heart.yaml --set training.epochs=50 --output runs/heart-50
        lkdist train heart.yaml --fold each     into runs/heart/fold-0, fold-1, …
      """)

  @OptionGroup var file: ConfigurationOptions
  @OptionGroup var shared: SharedOptions

  @Option(help: "Override the data set's folder.")
  var data: String?

  @Option(help: "The folder for results; runs/<name> by default.")
  var output: String?

  @Option(help: "Go on from a checkpoint: auto, never, or a file.")
  var resume = "auto"

  @Option(help: "Start from the weights of this checkpoint (transfer).")
  var weights: String?

  @Option(
    help: """
      Override the fold: 0..folds-1; all to train on everything; each for all folds in turn, in
      folders beside each other.
      """)
  var fold: String?

  @Option(help: "Stop after this many steps of the run, resumed ones included.")
  var maxSteps: Int?

  @Flag(help: "Check the configuration and the data set's description, say what would be done.")
  var dryRun = false

  func validate() throws {
    if let problem = StopRequest.problem { throw ValidationError(problem) }
    if let maxSteps, maxSteps < 1 { throw ValidationError("--max-steps must be at least 1") }
    if weights != nil && resume != "auto" && resume != "never" {
      throw ValidationError("--weights and --resume FILE exclude each other")
    }
    if isCrossValidation && resume != "auto" && resume != "never" {
      throw ValidationError("--fold each resumes every fold from its own checkpoint, not from FILE")
    }
  }

  func run() throws {
    StopRequest.catchSignals()
    let session = try MPISession()
    let outcome = try outcome(on: session.world)
    try session.finalize()
    if outcome.exitCode != .done { throw ExitCode(outcome.exitCode.rawValue) }
  }

  private var isCrossValidation: Bool { fold == "each" }

  private func outcome(on world: Communicator) throws -> Trainer.Outcome {
    guard isCrossValidation else {
      return try TrainingRun(
        options: options, world: world, threads: shared.threads, isQuiet: shared.quiet
      ).run()
    }
    return try CrossValidation(
      options: options, world: world, threads: shared.threads, isQuiet: shared.quiet
    ).run()
  }

  private var options: TrainingRun.Options {
    var overrides = file.allOverrides
    if let data { overrides.append("data.path=\(data)") }
    if let fold, !isCrossValidation { overrides.append("data.fold=\(fold)") }
    return TrainingRun.Options(
      configuration: file.configuration, overrides: overrides, output: output,
      resume: TrainingRun.Resume(resume), weights: weights, maximumSteps: maxSteps,
      isDryRun: dryRun, command: CommandLine.arguments)
  }
}
