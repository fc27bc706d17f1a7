import Foundation

/// Bytes that threads share: who needs more than is left waits until others are done.
package final class MemoryBudget: @unchecked Sendable {
  private let total: Int
  // Guards what follows.
  private let condition = NSCondition()
  private var left: Int

  package init(bytes: Int) {
    precondition(bytes > 0, "a budget of \(bytes) bytes")
    (total, left) = (bytes, bytes)
  }

  /// Runs `body` once `bytes` are left; one that needs more than there is has all to itself.
  package func with<Result, Failure: Error>(
    _ bytes: Int, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let share = min(bytes, total)
    condition.withLock {
      while left < share { condition.wait() }
      left -= share
    }
    defer {
      condition.withLock {
        left += share
        condition.broadcast()
      }
    }
    return try body()
  }
}
