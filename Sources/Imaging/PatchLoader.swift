import Foundation

/// Prepares a rank's next patches on background threads while it trains on the current ones.
///
/// Patches come out in the order of their requests, whichever thread was faster. One thread calls
/// `next()`.
package final class PatchLoader: Sendable {
  private let queue: PatchQueue

  /// Starts `threads` threads that work at most `lookAhead` requests ahead of `next()`, by default
  /// two per thread.
  ///
  /// - Parameters:
  ///   - requests: what to prepare, in order; may go on for many epochs.
  ///   - load: cuts one patch; runs on several threads at once.
  package init(
    threads: Int, lookAhead: Int? = nil,
    requests: some IteratorProtocol<PatchRequest> & Sendable,
    load: @escaping @Sendable (PatchRequest) throws(ImagingError) -> Patch
  ) {
    let limit = lookAhead ?? 2 * threads
    precondition(threads > 0 && limit > 0, "\(threads) threads, \(limit) patches ahead")
    var requests = requests
    queue = PatchQueue(lookAhead: limit, threads: threads) { requests.next() }
    for index in 0..<threads {
      // Threads own the queue alone, so that a loader can go away without being stopped.
      let thread = Thread { [queue] in queue.work(load) }
      thread.name = "lkdist-loader-\(index)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit { queue.stop(waits: false) }

  /// The patch of the next request, waiting until it is there.
  ///
  /// Asking for more patches than were requested, or after `stop()`, is the caller's mistake.
  /// - Throws: what preparing this patch threw; the patches after it can still be had.
  package func next() throws(ImagingError) -> Patch {
    try queue.next().get()
  }

  /// The seconds that `next()` has waited since the start.
  package var secondsWaited: Double { queue.secondsWaited }

  /// Ends the threads and waits for those that are at work on a patch.
  package func stop() { queue.stop(waits: true) }
}

/// What a loader and its threads share.
private final class PatchQueue: @unchecked Sendable {
  private let lookAhead: Int
  // Guards everything below.
  private let condition = NSCondition()
  private var nextRequest: () -> PatchRequest?
  private var ready: [Int: Result<Patch, ImagingError>] = [:]
  private var taken = 0
  private var delivered = 0
  private var isExhausted = false
  private var isStopping = false
  private var running: Int
  private var waited = 0.0

  init(lookAhead: Int, threads: Int, nextRequest: @escaping () -> PatchRequest?) {
    self.lookAhead = lookAhead
    self.nextRequest = nextRequest
    running = threads
  }

  var secondsWaited: Double { condition.withLock { waited } }

  func next() -> Result<Patch, ImagingError> {
    condition.withLock {
      let start = ContinuousClock.now
      while true {
        if let result = ready.removeValue(forKey: delivered) {
          delivered += 1
          condition.broadcast()
          waited += (ContinuousClock.now - start) / .seconds(1)
          return result
        }
        precondition(!isStopping, "patch \(delivered) asked of a loader that was stopped")
        precondition(!isExhausted || delivered < taken, "only \(taken) patches were requested")
        condition.wait()
      }
    }
  }

  func work(_ load: (PatchRequest) throws(ImagingError) -> Patch) {
    while let (ticket, request) = take() {
      let result = Result { () throws(ImagingError) in try load(request) }
      condition.withLock {
        ready[ticket] = result
        condition.broadcast()
      }
    }
    condition.withLock {
      running -= 1
      condition.broadcast()
    }
  }

  /// The next request and its place in the order, once there is room; nil at the end.
  private func take() -> (ticket: Int, request: PatchRequest)? {
    condition.withLock {
      while !isStopping && !isExhausted && taken - delivered >= lookAhead { condition.wait() }
      guard !isStopping && !isExhausted else { return nil }
      guard let request = nextRequest() else {
        isExhausted = true
        condition.broadcast()
        return nil
      }
      taken += 1
      return (taken - 1, request)
    }
  }

  func stop(waits: Bool) {
    condition.withLock {
      isStopping = true
      condition.broadcast()
      while waits && running > 0 { condition.wait() }
      ready.removeAll()
    }
  }
}
