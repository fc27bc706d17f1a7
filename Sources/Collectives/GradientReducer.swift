import Foundation
import Tensors

/// Sums the flat block of gradients over all ranks, bucket by bucket from its end, while backward
/// still works on its start.
///
/// A thread of its own sums the buckets, for Open MPI moves nothing between calls. Without
/// MPI_THREAD_MULTIPLE, and in a world of one, `finish()` sums them.
///
/// Two ranks with a thread each on two cores, 64^3, 404 MB of gradients: through shared memory the
/// sums made a step 0.03 s longer, over 1 Gbit/s 5.9 s; driving MPI_Iallreduce by MPI_Test calls
/// from the backward pass 0.63 s and 6.3 s; a thread with MPI_Iallreduce 0.46 s and 6.0 s.
///
/// The buckets and their order depend only on the sizes, so a rank that had no patch and only calls
/// `finish()` matches the others. Its communicator may carry nothing else; `world.duplicate()` is a
/// good one.
package final class GradientReducer {
  /// Seconds of the last finished step that the caller spent in `finish()`.
  package private(set) var exposedSeconds = 0.0
  /// Seconds of the last finished step that a bucket was under way before `finish()` was called.
  package private(set) var hiddenSeconds = 0.0

  /// Called before `finish()` waits for a bucket, counted from 1 of so many.
  package var willWait: ((_ bucket: Int, _ buckets: Int) -> Void)?

  /// Whether sums run beside the caller's work.
  package let isConcurrent: Bool

  private let bounds: [Range<Int>]
  private let count: Int
  private let line: BucketLine
  private var firstFinal: Int

  /// Buckets of `bucketFloats` floats over `gradients`; the last one may be shorter.
  ///
  /// - Parameters:
  ///   - bucketFloats: 1...2^28, for MPI counts the bytes of messages in 32 bits.
  ///   - sum: how a bucket is summed.
  ///   - onThread: whether a thread may sum; nil to let MPI decide.
  package init(
    _ gradients: FloatSlice, bucketFloats: Int, by sum: any BucketSum = PlainSum(),
    over communicator: Communicator, onThread: Bool? = nil
  ) throws(CommunicationError) {
    precondition(
      bucketFloats >= 1 && bucketFloats <= 1 << 28, "buckets of \(bucketFloats) floats")
    count = gradients.count
    firstFinal = count
    bounds = Self.bounds(of: count, bucketFloats: bucketFloats)
    line = BucketLine(bounds.map(gradients.slice), by: sum, over: communicator)
    let mayThread = try communicator.allowsThreads()
    isConcurrent = onThread ?? (communicator.size > 1 && mayThread)
    if isConcurrent { start() }
  }

  /// Buckets of `bucketMiB` MiB (configuration `distributed.bucketMiB`), but at most 1 GiB, over
  /// `gradients`.
  package convenience init(
    _ gradients: FloatSlice, bucketMiB: Double, by sum: any BucketSum = PlainSum(),
    over communicator: Communicator
  ) throws(CommunicationError) {
    let floats = max(1, Int(min(bucketMiB, 1024) * 1_048_576 / 4))
    try self.init(gradients, bucketFloats: floats, by: sum, over: communicator)
  }

  // After an error nobody may join a sum under way: its thread keeps the line, and so the memory.
  deinit { line.close() }

  private func start() {
    let thread = Thread { [line] in line.run() }
    thread.name = "lkdist-allreduce"
    thread.start()
  }

  /// The ranges of the buckets, from the end of `count` floats to its start; the first may be short.
  package static func bounds(of count: Int, bucketFloats: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: bucketFloats)
      .map { $0..<min(count, $0 + bucketFloats) }.reversed()
  }

  /// Says that the gradients of flat offsets >= `offset` will not change in this step; the buckets
  /// that lie wholly there may be summed.
  ///
  /// - Parameter offset: 0...count, never above that of the call before in the same step.
  package func gradientsAreFinal(from offset: Int) {
    precondition(
      offset >= 0 && offset <= firstFinal, "final from \(offset) after final from \(firstFinal)")
    firstFinal = offset
    line.release(bounds.prefix { $0.lowerBound >= offset }.count)
  }

  /// Releases the rest and returns when every bucket holds the sum over all ranks.
  ///
  /// - Throws: the first error of a sum; the reducer is then of no more use.
  package func finish() throws(CommunicationError) {
    let entered = monotonicSeconds()
    gradientsAreFinal(from: 0)
    for bucket in bounds.indices {
      willWait?(bucket + 1, bounds.count)
      if !isConcurrent { line.sumBucket(bucket) }
      try line.waitForSum(bucket)
    }
    hiddenSeconds = line.startOver().reduce(0) { $0 + max(0, min($1.end, entered) - $1.start) }
    exposedSeconds = monotonicSeconds() - entered
    firstFinal = count
  }

  /// Drops what the sum kept of the steps before, such as rounding errors still to be made good. For
  /// between two steps, on every rank at the same step.
  package func forget() { line.forget() }
}

/// Seconds of a clock that never jumps.
func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
