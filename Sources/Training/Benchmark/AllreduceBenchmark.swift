import Collectives
import Tensors

/// Times the sum of a block of gradients over the ranks, with nothing else to do.
package struct AllreduceBenchmark {
  private let world: Communicator
  private let bucketMiB: Double
  private let rounds: Int

  /// - Parameter rounds: how often each sum is timed, after one that is not.
  package init(over world: Communicator, bucketMiB: Double, rounds: Int) {
    (self.world, self.bucketMiB, self.rounds) = (world, bucketMiB, rounds)
  }

  /// The line of a block of `bytes` of floats. Collective.
  package func line(
    bytes: Int, compression: Configuration.Compression
  ) throws(CommunicationError) -> JSON {
    let (seconds, processor) = try seconds(bytes: bytes, compression: compression)
    return [
      "bytes": .integer(bytes), "bucket_bytes": .integer(Int(bucketMiB * 1_048_576)),
      "ranks": .integer(world.size), "compression": .string(compression.rawValue),
      "seconds": .number(seconds), "processor_s": .number(processor),
      "gb_per_s": .number(rate(bytes: bytes, seconds: seconds)),
    ]
  }

  /// The median of the slowest rank's seconds for a block of `bytes` of floats, and the mean of the
  /// processor seconds of the rank that takes most. Collective.
  func seconds(
    bytes: Int, compression: Configuration.Compression
  ) throws(CommunicationError) -> (seconds: Double, processor: Double) {
    let block = FloatBuffer(zeros: bytes / 4)
    let reducer = try GradientReducer(
      block.slice, bucketMiB: bucketMiB, by: compression.sum(count: block.count),
      over: try world.duplicate())
    try reducer.finish()
    var seconds: [Double] = []
    let before = ProcessorTime.seconds
    for _ in 0..<rounds {
      seconds.append(
        try world.slowest { () throws(CommunicationError) in try reducer.finish() })
    }
    let processor = (ProcessorTime.seconds - before) / Double(rounds)
    return (median(of: seconds), try world.allreduceMax(processor))
  }

  /// Bus bandwidth in GB/s: 2 (n - 1) / n bytes / seconds of n ranks.
  func rate(bytes: Int, seconds: Double) -> Double {
    let ranks = Double(world.size)
    return 2 * (ranks - 1) / ranks * Double(bytes) / seconds / 1e9
  }
}

extension Communicator {
  /// The seconds that the slowest rank needs for `work`, from a common start. Collective.
  func slowest(
    _ work: () throws(CommunicationError) -> Void
  ) throws(CommunicationError) -> Double {
    try barrier()
    let start = ContinuousClock.now
    try work()
    return try allreduceMax((ContinuousClock.now - start) / .seconds(1))
  }
}

/// The middle one of `values`, or the mean of the two in the middle; NaN of none.
func median(of values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return .nan }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
