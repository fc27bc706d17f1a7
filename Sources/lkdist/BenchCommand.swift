import ArgumentParser
import Collectives
import NN
import Tensors
import Training

extension Recompute: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

/// `lkdist bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure speed and memory, as JSON lines.",
    subcommands: [
      StepBenchCommand.self, KernelBenchCommand.self, AllreduceBenchCommand.self,
      AugmentationBenchCommand.self, CheckpointBenchCommand.self,
    ])
}

/// `lkdist bench step`.
struct StepBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Time training steps of a network on random data, one JSON line a step.",
    discussion: """
      Under mpirun a last line tells how much of the communication is hidden: 1 - (step with it -
      step without) / sum of all gradients alone, of medians of the slowest rank.

      Examples:
        lkdist bench step --patch 64,64,64 --inputs 4 --outputs 3 --threads 2 --steps 3
        mpirun -n 2 lkdist bench step --patch 128,128,128 --threads 1
      """)

  @OptionGroup var network: NetworkOptions

  @Option(help: "Steps to time.")
  var steps = 3

  @Option(help: "What backward computes again: none or blocks.")
  var recompute = Recompute.none

  @Option(help: "Kernels: fast or exact.")
  var precision = Precision.fast

  @Option(
    name: .customLong("bucket-mib"), help: "Ranks send gradients in pieces of so many MiB.")
  var bucketMiB = 4.0

  @Option(help: "What ranks send gradients as: none (single precision) or bf16.")
  var compression = Configuration.Compression.none

  @Flag(help: "Print the last step's time by layer and phase as well.")
  var profile = false

  @Flag(help: "Print, last, what the input of lkdist simulate holds of the patch; for one rank.")
  var simulation = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard steps > 0 else { throw ValidationError("--steps must be at least 1") }
    try checkBucket(bucketMiB)
  }

  func run() throws {
    let (model, extent) = try network.checked()
    let session = try MPISession()
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    let compute = Compute(
      threads: budget.threads, precision: precision, profile: profile ? Profile() : nil)
    let benchmark = try StepBenchmark(
      model, extent: extent, recompute: recompute, on: compute)
    try time(benchmark, world: session.world)
    if session.world.rank == 0 {
      for line in benchmark.profile { print(line.text) }
      if simulation { print(benchmark.stepProfile.json.text) }
    }
    try session.finalize()
  }
}

extension StepBenchCommand {
  private func time(_ benchmark: StepBenchmark, world: Communicator) throws {
    guard world.size > 1 else {
      for _ in 0..<steps { print(try benchmark.step().text) }
      return
    }
    let overlap = try OverlapBenchmark(
      benchmark, over: world, bucketMiB: bucketMiB, compression: compression)
    try overlap.run(steps: steps) { line in if world.rank == 0 { print(line.text) } }
  }
}

/// `lkdist bench kernels`.
struct KernelBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Time each convolution of a network, one JSON line a pass and implementation.",
    discussion: """
      GFLOP/s are those of the direct convolution, so more than the processor's peak is possible;
      the peak is measured beside each kernel, GB/s count inputs, outputs and weights once.

      Example:
        lkdist bench kernels --patch 64,64,64 --threads 2
      """)

  @OptionGroup var network: NetworkOptions

  @Option(help: "Only the layers whose names contain this, such as down or decoder.0.up.")
  var layer: String?

  @Option(help: "Runs of each kernel, of which the best counts.")
  var repeats = 3

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard repeats > 0 else { throw ValidationError("--repeats must be at least 1") }
  }

  func run() throws {
    let (model, extent) = try network.checked()
    let session = try MPISession()
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    let compute = Compute(threads: budget.threads)
    KernelBenchmark(model, extent: extent, named: layer, repeats: repeats, on: compute)
      .run { print($0.text) }
    try session.finalize()
  }
}
