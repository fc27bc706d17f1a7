import ArgumentParser
import Training

/// `lkdist import`.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a checkpoint to predict with of weights trained elsewhere.",
    discussion: """
      The weights are a safetensors file of the network's state_dict, as scripts/lkdist_torch.py
      saves it. What they do not say comes from a checkpoint or a configuration. Examples:
        lkdist import tuned.safetensors --like best.safetensors -o tuned-best.safetensors
        lkdist import tuned.safetensors --config lkdist.yaml -o tuned-best.safetensors
      """)

  @Argument(help: "The weights.")
  var weights: String

  @Option(help: "A checkpoint of the same network, for labels, preparation and patch size.")
  var like: String?

  @Option(help: "A configuration instead, whose data set is read for them.")
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override one key of --config; repeatable.", valueName: "key.path=value"))
  var overrides: [String] = []

  @Option(name: [.customShort("o"), .customLong("output")], help: "The checkpoint to write.")
  var output: String

  @Flag(help: "Replace a file that exists.")
  var overwrite = false

  @Flag(help: "Print warnings and errors only.")
  var quiet = false

  func validate() throws {
    guard (like == nil) != (config == nil) else {
      throw ValidationError("give either --like CHECKPOINT or --config FILE")
    }
    guard overrides.isEmpty || config != nil else {
      throw ValidationError("--set is for --config")
    }
  }

  func run() throws {
    let source: ImportRun.Source =
      if let like { .checkpoint(like) } else {
        .configuration(config ?? "", overrides: overrides)
      }
    try ImportRun(weights: weights, source: source).write(to: output, overwrites: overwrite)
    if !quiet { print("wrote \(output)") }
  }
}
