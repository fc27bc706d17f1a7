import ArgumentParser
import Collectives
import NN
import Tensors
import Training

/// `lkdist bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure speed and memory, as JSON lines.",
    subcommands: [StepBenchCommand.self, AugmentationBenchCommand.self])
}

/// `lkdist bench step`.
struct StepBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Time training steps of a network on random data, one JSON line a step.",
    discussion: """
      Example:
        lkdist bench step --patch 64,64,64 --inputs 4 --outputs 3 --threads 2 --steps 3
      """)

  @Option(help: "The patch size x,y,z.")
  var patch = "64,64,64"

  @Option(help: "Channels of the image.")
  var inputs = 4

  @Option(help: "Channels of the logits.")
  var outputs = 3

  @Option(help: "Attention modules: none, mid or full.")
  var attention = "mid"

  @Option(help: "Channels of the first scale.")
  var channels = 32

  @Option(help: "The largest number of channels of a scale.")
  var maximumChannels = 512

  @Option(help: "Scales of the network.")
  var scales = 6

  @Option(help: "Steps to time.")
  var steps = 3

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard Extent(text: patch) != nil else {
      throw ValidationError("--patch takes three sizes, such as 64,64,64")
    }
    guard ["none", "mid", "full"].contains(attention) else {
      throw ValidationError("--attention takes none, mid or full")
    }
    guard inputs > 0, outputs > 0, steps > 0 else {
      throw ValidationError("--inputs, --outputs and --steps must be at least 1")
    }
  }

  func run() throws {
    guard let extent = Extent(text: patch) else { return }
    let model = ModelConfiguration(
      inputs: inputs, outputs: outputs, attention: placements, channels: channels,
      maximumChannels: maximumChannels, scales: scales, groups: 8)
    try model.validate(patch: extent)
    let session = try MPISession()
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    let benchmark = try StepBenchmark(model, extent: extent, on: Compute(threads: budget.threads))
    for _ in 0..<steps { print(benchmark.step().text) }
    try session.finalize()
  }

  private var placements: [AttentionPlacement] {
    switch attention {
    case "mid": ModelConfiguration.mid(scales: scales)
    case "full": ModelConfiguration.full(scales: scales)
    default: ModelConfiguration.none
    }
  }
}
