import ArgumentParser
import Collectives
import Tensors
import Training

/// `lkdist report`.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a run's curves, scores, pictures and origin as one page, report.html.",
    discussion: """
      The page holds all it needs. Scores and pictures come from the run's validation label maps and
      the data set where the configuration has it; what is missing is said on the page.
      Example:
        lkdist report runs/hippocampus
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var folder: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "The page's file; report.html in the run's folder by default.")
  var output: String?

  @Option(help: "The subject whose attention is shown; one of middling Dice by default.")
  var subject: String?

  @OptionGroup var shared: SharedOptions

  func run() throws {
    let session = try MPISession()
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    if session.world.rank == 0 {
      let report = try RunReport(
        folder, output: output, subject: subject, on: Compute(threads: budget.threads))
      let path = try report.write()
      if !shared.quiet { print("wrote \(path)") }
    }
    try session.finalize()
  }
}
