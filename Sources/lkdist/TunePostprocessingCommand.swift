import ArgumentParser
import Collectives
import Training

/// `lkdist tune-postprocessing`.
struct TunePostprocessingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune-postprocessing",
    abstract: "Choose the post-processing that helps on a run's validation subjects.",
    discussion: """
      Tries, for one class or region after the other, to keep the largest component, to fill holes, and
      to take away what is small, on the label maps in RUN/validation. What raises the mean Dice and
      does not raise the mean HD95 goes into RUN/lkdist.yaml and the run's checkpoints, with which
      `lkdist predict` then does it. Use it on a run that has ended.
      Example:
        lkdist tune-postprocessing runs/hippocampus
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var folder: String

  @OptionGroup var shared: SharedOptions

  func run() throws {
    let session = try MPISession()
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    if session.world.rank == 0 { try tune(threads: budget.threads) }
    try session.finalize()
  }

  private func tune(threads: Int) throws {
    let tuning = try PostprocessingTuning(run: folder, threads: threads)
    let result = try tuning.run()
    let changed = try tuning.write(result)
    guard !shared.quiet else { return }
    print(tuning.table(of: result), terminator: "")
    print(
      result.steps.isEmpty
        ? "nothing helps: no post-processing" : "\(result.steps.count) kept", terminator: "")
    print("; written to \(changed.joined(separator: ", "))")
  }
}
