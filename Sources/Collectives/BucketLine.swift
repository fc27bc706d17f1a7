import Foundation
import Tensors

/// The buckets of a step on their way from the thread that computes to the one that communicates.
///
/// The reducer releases buckets and waits for them; `run()` sums them one after the other.
final class BucketLine: @unchecked Sendable {
  private let buckets: [FloatSlice]
  private let communicator: Communicator
  // Used by whoever sums, the communication thread if there is one, and by nobody between steps.
  private var sum: any BucketSum
  // Guards what follows.
  private let condition = NSCondition()
  private var released = 0
  private var spans: [(start: Double, end: Double)] = []
  private var failure: CommunicationError?
  private var isClosed = false

  /// A line of `buckets`, which are summed in this order.
  init(_ buckets: [FloatSlice], by sum: any BucketSum, over communicator: Communicator) {
    self.buckets = buckets
    self.sum = sum
    self.communicator = communicator
  }

  // MARK: - The side that computes

  /// Says that the first `count` buckets are final.
  func release(_ count: Int) {
    condition.withLock {
      released = count
      condition.broadcast()
    }
  }

  /// Returns when the bucket at `index` has been summed.
  ///
  /// - Throws: what went wrong with it or one before.
  func waitForSum(_ index: Int) throws(CommunicationError) {
    let error = condition.withLock {
      while spans.count <= index && failure == nil { condition.wait() }
      return failure
    }
    if let error { throw error }
  }

  /// Begins the next step, once every bucket has been summed; when each of them was under way, in
  /// seconds of `monotonicSeconds()`.
  func startOver() -> [(start: Double, end: Double)] {
    condition.withLock {
      defer { (released, spans) = (0, []) }
      return spans
    }
  }

  /// Makes the sum drop what it kept of the steps before; for between two steps.
  func forget() { condition.withLock { sum.forget() } }

  /// Ends `run()` after the buckets that are released: other ranks may count on them.
  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
    }
  }

  // MARK: - The side that communicates

  /// Sums buckets as they are released, until the line is closed or a sum fails.
  func run() {
    while let index = waitForRelease() { sumBucket(index) }
  }

  /// Sums one bucket, here and now.
  func sumBucket(_ index: Int) {
    let start = monotonicSeconds()
    var failure: CommunicationError?
    do throws(CommunicationError) { try sum.sum(buckets[index], over: communicator) } catch {
      failure = error
    }
    condition.withLock {
      self.failure = failure
      spans.append((start, monotonicSeconds()))
      condition.broadcast()
    }
  }

  private func waitForRelease() -> Int? {
    condition.withLock {
      while spans.count == released && !isClosed { condition.wait() }
      return spans.count == released || failure != nil ? nil : spans.count
    }
  }
}
