import ArgumentParser
import Collectives
import Imaging
import Training

extension ScoringRule.Conventions: ExpressibleByArgument {}

/// `lkdist evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Score label maps against references, pool runs, compare two sets of scores.",
    discussion: """
      Dice, HD95, NSD, volume difference, lesion-wise Dice and F1 per class and
      subject; the rule is printed below the table. Files are matched by name, or
      with a data set by its subjects' names. Subjects that cannot be scored are
      listed at the end, and the exit code is then not 0.
      Examples:
        lkdist evaluate predictions Task04_Hippocampus/labelsTr \\
          --labels Task04_Hippocampus/dataset.json -o metrics.json
        lkdist evaluate predictions BraTS2020 --conventions brats
        lkdist evaluate predictions CT-ORG --labels CT-ORG --exclude brain
        lkdist evaluate a.nii.gz b.nii.gz --tolerance 2 --tolerance liver=3
        lkdist evaluate --runs runs/hippocampus/fold-* -o mid.json
        lkdist evaluate --compare base.json mid.json
      """)

  @Argument(help: "A folder of label maps, or one file.")
  var predictions: String?

  @Argument(help: "The folder of reference label maps or the data set, or one file.")
  var references: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Score what these runs validated last, each subject once, against their data set.",
      valueName: "run"))
  var runs: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Test two metrics.json of the same subjects for differences: paired t-test, Wilcoxon.",
      valueName: "metrics.json"))
  var compare: [String] = []

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "Write the result to this JSON file, and to a CSV file beside it.")
  var output: String?

  @Flag(help: "Replace files that exist.")
  var overwrite = false

  @Option(
    help: "The dataset.json, or data set, that names the labels; the values found otherwise.")
  var labels: String?

  @Option(help: "Leave this class out, by name or value; repeatable.")
  var exclude: [String] = []

  @Option(
    help: """
      standard, or brats: regions ET, TC, WT, and HD95 373.13 where only one side has a region.
      """)
  var conventions = ScoringRule.Conventions.standard

  @Option(
    help: ArgumentHelp(
      "The tolerance of NSD in mm, 1 by default, or of one class; repeatable.",
      valueName: "mm or class=mm"))
  var tolerance: [String] = []

  @Flag(help: "Print JSON instead of the table.")
  var json = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    let modes = [predictions != nil, !runs.isEmpty, !compare.isEmpty].count { $0 }
    guard modes == 1 else {
      throw ValidationError("give PREDICTIONS and REFERENCES, or --runs, or --compare")
    }
    guard predictions == nil || references != nil else {
      throw ValidationError("give the references of \(predictions ?? "") as well")
    }
    guard compare.isEmpty || compare.count == 2 else {
      throw ValidationError("--compare takes two files of scores, not \(compare.count)")
    }
    guard labels == nil || runs.isEmpty else {
      throw ValidationError("--runs takes the labels of the runs' data set, not --labels")
    }
    let selections = !exclude.isEmpty || !tolerance.isEmpty || labels != nil
    guard compare.isEmpty || !selections && conventions == .standard else {
      throw ValidationError("--compare takes scores as they are; choose when you score")
    }
    _ = try rule
  }

  func run() throws {
    let session = try MPISession()
    if compare.isEmpty {
      let run = try EvaluationRun(options: options, world: session.world, threads: shared.threads)
      let code = try run.run()
      try session.finalize()
      if code != .done { throw ExitCode(code.rawValue) }
    } else {
      if session.world.rank == 0 { try compareFiles() }
      try session.finalize()
    }
  }

  private func compareFiles() throws {
    try destination.check()
    let files = try compare.map { path throws(ImagingError) in try ScoresFile(path) }
    try destination.write(try ScoresComparison(files[0], files[1]))
  }

  private var options: EvaluationRun.Options {
    get throws {
      let input: EvaluationRun.Input =
        if let predictions, let references {
          .files(predictions: predictions, references: references, labels: labels)
        } else {
          .runs(runs)
        }
      return EvaluationRun.Options(
        input: input, rule: try rule, excluded: exclude, output: destination)
    }
  }

  private var destination: ScoresOutput {
    ScoresOutput(path: output, overwrites: overwrite, printsJSON: json, isQuiet: shared.quiet)
  }

  private var rule: ScoringRule {
    get throws {
      var rule = ScoringRule()
      rule.conventions = conventions
      for text in tolerance {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard let last = parts.last, let value = Double(last), value >= 0, value < 1e6 else {
          throw ValidationError("--tolerance takes mm of 0 or more, or CLASS=MM, not '\(text)'")
        }
        let name = parts.dropLast().joined(separator: "=")
        if parts.count == 1 { rule.tolerance = value } else { rule.classTolerances[name] = value }
      }
      return rule
    }
  }
}
