import ArgumentParser
import Collectives
import Imaging
import Training

/// `lkdist check`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read every file of a data set and list what is wrong, each with its fix.",
    discussion: """
      Errors are what training refuses (exit code 65); warnings make a result worse. Grids are the
      same where the origin and each axis's end differ by at most 0.01 of the smallest spacing.
      --fix corrects what needs no guess: places in space that differ by at most 0.1 of it or are
      missing, NaN and infinite voxels (they become 0), labels within 0.001 of a whole number.
      Examples:
        lkdist check Task04_Hippocampus
        mpirun -n 4 lkdist check BraTS2020 --fix corrected --json
      """)

  @Argument(help: "The data set's folder, or its JSON file.")
  var data: String

  @Option(help: "auto, msd, nnunet, brats2020, ct-org or datalist.")
  var layout = "auto"

  @Option(help: "Write corrected copies into this folder; the data set itself is never changed.")
  var fix: String?

  @Flag(help: "Print all of it as JSON.")
  var json = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard layout == "auto" || DatasetLayout(rawValue: layout) != nil else {
      let names = DatasetLayout.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--layout \(layout) is none of auto, \(names)")
    }
    if let problem = options.problem { throw ValidationError(problem) }
  }

  func run() throws {
    let session = try MPISession()
    let code = try CheckRun(options: options, world: session.world, threads: shared.threads).run()
    try session.finalize()
    if code != .done { throw ExitCode(code.rawValue) }
  }

  private var options: CheckRun.Options {
    CheckRun.Options(
      data: data, layout: DatasetLayout(rawValue: layout), fix: fix, printsJSON: json,
      isQuiet: shared.quiet)
  }
}
