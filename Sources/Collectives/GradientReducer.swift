import Glibc
import Tensors

/// Sums the flat block of gradients over all ranks, bucket by bucket from its end, while backward
/// still works on its start.
///
/// The buckets and their order depend only on the sizes, so a rank that had no patch and only calls
/// `finish()` matches the others. Its communicator may carry nothing else between the first call of
/// a step and `finish()`; `world.duplicate()` is a good one.
package final class GradientReducer {
  /// Seconds of the last finished step that the caller spent in here.
  package private(set) var exposedSeconds = 0.0
  /// Seconds of the last finished step that a bucket was under way while the caller did other work.
  package private(set) var hiddenSeconds = 0.0

  /// Called before `finish()` waits for a bucket, counted from 1 of so many.
  package var willWait: ((_ bucket: Int, _ buckets: Int) -> Void)?

  private let gradients: FloatSlice
  private let bounds: [Range<Int>]
  private let communicator: Communicator
  private var inFlight: [Flight]
  private var firstFinal: Int
  private var started = 0
  private var ended = 0
  private var step = (exposed: 0.0, hidden: 0.0)
  private var leftAt: Double?

  private var mostInFlight: Int { inFlight.count }

  // A unique request cannot be an array's element; a box that keeps its place can.
  private final class Flight { var request: Request? }

  /// Buckets of `bucketFloats` floats over `gradients`; the last one may be shorter.
  ///
  /// - Parameter mostInFlight: how many buckets may be under way; MPI makes a temporary copy of
  ///   each. Two ranks on a busy host summed 100 MB in 0.53 s with 1 and in 0.2-0.34 s with 2 to 8.
  package init(
    _ gradients: FloatSlice, bucketFloats: Int, over communicator: Communicator,
    mostInFlight: Int = 8
  ) {
    precondition(mostInFlight >= 1, "\(mostInFlight) buckets under way")
    precondition(
      bucketFloats >= 1 && bucketFloats <= Int(Int32.max), "buckets of \(bucketFloats) floats")
    self.gradients = gradients
    self.communicator = communicator
    bounds = Self.bounds(of: gradients.count, bucketFloats: bucketFloats)
    inFlight = (0..<mostInFlight).map { _ in Flight() }
    firstFinal = gradients.count
  }

  /// Buckets of `bucketMiB` MiB (configuration `distributed.bucketMiB`) over `gradients`.
  package convenience init(
    _ gradients: FloatSlice, bucketMiB: Double, over communicator: Communicator
  ) {
    let floats = max(1, Int(bucketMiB * 1_048_576 / 4))
    self.init(gradients, bucketFloats: floats, over: communicator)
  }

  // After an error nobody will wait for these sums, and the message must still come out.
  deinit { for flight in inFlight { flight.request.take()?.abandon() } }

  /// The ranges of the buckets, from the end of `count` floats to its start.
  package static func bounds(of count: Int, bucketFloats: Int) -> [Range<Int>] {
    stride(from: count, to: 0, by: -bucketFloats).map { max(0, $0 - bucketFloats)..<$0 }
  }

  /// Says that the gradients of flat offsets >= `offset` will not change in this step; starts the
  /// buckets that lie wholly there.
  ///
  /// - Parameter offset: 0...count, never above that of the call before in the same step.
  package func gradientsAreFinal(from offset: Int) throws(CommunicationError) {
    precondition(
      offset >= 0 && offset <= firstFinal, "final from \(offset) after final from \(firstFinal)")
    firstFinal = offset
    try timed(advance)
  }

  /// Lets MPI move the buckets under way for a moment: Open MPI moves nothing between calls.
  package func progress() throws(CommunicationError) { try timed(advance) }

  /// Starts the rest and returns when every bucket holds the sum over all ranks.
  package func finish() throws(CommunicationError) {
    firstFinal = 0
    try timed(drain)
    (exposedSeconds, hiddenSeconds) = step
    (firstFinal, started, ended, leftAt) = (gradients.count, 0, 0, nil)
    step = (0, 0)
  }

  // MARK: - Buckets under way

  private func advance() throws(CommunicationError) {
    while ended < started {
      guard try flight(ended).request?.test() ?? true else { break }
      try endOldest()
    }
    try startReady()
  }

  private func drain() throws(CommunicationError) {
    try startReady()
    while ended < started {
      willWait?(ended + 1, bounds.count)
      try endOldest()
      try startReady()
    }
  }

  private func startReady() throws(CommunicationError) {
    while started < bounds.count && bounds[started].lowerBound >= firstFinal
      && started - ended < mostInFlight
    {
      let bucket = gradients.slice(bounds[started])
      flight(started).request = try communicator.startAllreduceSum(bucket)
      started += 1
    }
  }

  private func endOldest() throws(CommunicationError) {
    let request = flight(ended).request.take()
    ended += 1
    try request?.wait()
  }

  private func flight(_ bucket: Int) -> Flight { inFlight[bucket % mostInFlight] }

  // MARK: - Time

  private func timed(
    _ work: () throws(CommunicationError) -> Void
  ) throws(CommunicationError) {
    let entered = monotonicSeconds()
    if let leftAt { step.hidden += entered - leftAt }
    try work()
    let left = monotonicSeconds()
    step.exposed += left - entered
    leftAt = ended < started && communicator.size > 1 ? left : nil
  }
}

/// Seconds of a clock that never jumps.
func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
