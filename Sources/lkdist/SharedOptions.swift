import ArgumentParser
import Training

/// The flags that several commands share.
struct SharedOptions: ParsableArguments {
  @Option(help: "Threads of each rank; the cores the rank may use by default.")
  var threads: Int?

  @Flag(help: "Print warnings and errors only.")
  var quiet = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
  }
}

/// The flags that change a configuration from the command line.
struct ConfigurationOptions: ParsableArguments {
  @Argument(help: "The configuration file.")
  var configuration = "lkdist.yaml"

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override one key of the file; repeatable.", valueName: "key.path=value"))
  var overrides: [String] = []

  @Option(help: "Override the seed.")
  var seed: UInt64?

  /// All overrides in the form of `--set`.
  var allOverrides: [String] { overrides + (seed.map { ["seed=\($0)"] } ?? []) }
}
