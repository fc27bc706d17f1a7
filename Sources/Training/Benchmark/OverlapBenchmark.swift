import Collectives
import NN
import Tensors

/// Tells how much of the ranks' communication the backward pass hides.
package final class OverlapBenchmark {
  private let world: Communicator
  private let benchmark: StepBenchmark
  private let reducer: GradientReducer

  /// Every rank steps `benchmark`; `reducer` sums its gradients.
  package init(
    _ benchmark: StepBenchmark, over world: Communicator, bucketMiB: Double,
    compression: Configuration.Compression
  ) throws(CommunicationError) {
    self.world = world
    self.benchmark = benchmark
    reducer = try GradientReducer(
      benchmark.gradients, bucketMiB: bucketMiB,
      by: compression.sum(count: benchmark.gradients.count), over: try world.duplicate())
  }

  /// Prints a line for each of `count` steps that communicate and a last one with medians:
  /// hidden = 1 - (step - step without communication) / allreduce alone. Collective.
  package func run(
    steps count: Int, print: (JSON) -> Void
  ) throws(CommunicationError) {
    var (with, without, alone): ([Double], [Double], [Double]) = ([], [], [])
    _ = try world.slowest { () throws(CommunicationError) in _ = try benchmark.step() }
    for _ in 0..<count {
      without.append(
        try world.slowest { () throws(CommunicationError) in _ = try benchmark.step() })
      alone.append(try world.slowest { () throws(CommunicationError) in try reducer.finish() })
      var line = JSON.null
      with.append(
        try world.slowest { () throws(CommunicationError) in
          line = try benchmark.step(summingBy: reducer)
        })
      print(line)
    }
    let (step, free, sum) = (median(of: with), median(of: without), median(of: alone))
    print([
      "ranks": .integer(world.size), "step_s": .number(step), "step_without_s": .number(free),
      "allreduce_alone_s": .number(sum), "hidden": .number(1 - (step - free) / sum),
    ])
  }
}
