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
    _ benchmark: StepBenchmark, over world: Communicator, bucketMiB: Double
  ) throws(CommunicationError) {
    self.world = world
    self.benchmark = benchmark
    reducer = try GradientReducer(
      benchmark.gradients, bucketMiB: bucketMiB, over: try world.duplicate())
  }

  /// Prints a line for each of `count` steps that communicate and a last one with medians:
  /// hidden = 1 - (step - step without communication) / allreduce alone. Collective.
  package func run(
    steps count: Int, print: (JSON) -> Void
  ) throws(CommunicationError) {
    var (with, without, alone): ([Double], [Double], [Double]) = ([], [], [])
    _ = try timed { () throws(CommunicationError) in _ = try benchmark.step() }
    for _ in 0..<count {
      without.append(try timed { () throws(CommunicationError) in _ = try benchmark.step() })
      alone.append(try timed { () throws(CommunicationError) in try reducer.finish() })
      var line = JSON.null
      with.append(
        try timed { () throws(CommunicationError) in
          line = try benchmark.step(summingBy: reducer)
        })
      print(line)
    }
    let (step, free, sum) = (with.median, without.median, alone.median)
    print([
      "ranks": .integer(world.size), "step_s": .number(step), "step_without_s": .number(free),
      "allreduce_alone_s": .number(sum), "hidden": .number(1 - (step - free) / sum),
    ])
  }

  /// Seconds that the slowest rank needs, from a common start.
  private func timed(
    _ work: () throws(CommunicationError) -> Void
  ) throws(CommunicationError) -> Double {
    try world.barrier()
    let start = ContinuousClock.now
    try work()
    return try world.allreduceMax((ContinuousClock.now - start) / .seconds(1))
  }
}

extension [Double] {
  /// The middle one, the upper of two; 0 of none.
  fileprivate var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
