import ArgumentParser
import Training

/// `lkdist simulate`.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Forecast by simulation how a measured step scales to many ranks.",
    discussion: """
      The input says what a step computes on one rank (`lkdist bench step --simulation` prints it), how
      many ranks there are, and their networks. Every rank computes in its own time; sums of buckets wait
      for the last one. Efficiency is the speed of a rank, of what it is alone. Examples:
        lkdist simulate scaling.yaml
        lkdist simulate scaling.yaml --set bucketMiB=32 -o scaling.svg
      """)

  @Argument(help: "The input, as Sources/Training/Training.docc/Resources/scaling.yaml is one.")
  var file: String

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override one key of the file; repeatable.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "Draw efficiency against ranks into this SVG file.")
  var output: String?

  @Flag(help: "Print every point with its seconds as JSON instead of the table.")
  var json = false

  func run() throws {
    let forecast = try ScalingForecast(ScalingInput.load(file, overrides: overrides))
    if let output { try forecast.draw(to: output) }
    print(json ? forecast.json.indentedText() : forecast.table)
  }
}
