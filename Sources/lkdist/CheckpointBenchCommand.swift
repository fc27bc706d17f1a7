import ArgumentParser
import Collectives
import Tensors
import Training

/// `lkdist bench checkpoint`.
struct CheckpointBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Time what a checkpoint costs training, one JSON line a checkpoint.",
    discussion: """
      A checkpoint is copied and then written while steps go on: held_up_s is the copy and what
      those steps take longer than others.

      Example:
        lkdist bench checkpoint --patch 64,64,64 --threads 2 -o /scratch
      """)

  @OptionGroup var network: NetworkOptions

  @Option(name: .shortAndLong, help: "The folder that last.safetensors is written to.")
  var output: String

  @Option(help: "Checkpoints to write.")
  var checkpoints = 3

  @Option(help: "Steps to time while nothing is written.")
  var steps = 7

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard checkpoints > 0, steps > 0 else {
      throw ValidationError("--checkpoints and --steps must be at least 1")
    }
  }

  func run() throws {
    let (model, extent) = try network.checked()
    let session = try MPISession()
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    let benchmark = try CheckpointBenchmark(
      model, extent: extent, folder: output, on: Compute(threads: budget.threads))
    let idle = try benchmark.secondsPerStep(steps)
    for _ in 0..<checkpoints { print(try benchmark.checkpoint(idle: idle).text) }
    try session.finalize()
  }
}
