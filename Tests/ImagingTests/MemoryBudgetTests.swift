import Dispatch
import Foundation
import Imaging
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct MemoryBudgetTests {
  /// The most bytes at work at once when 12 threads need `bytes` each of 100.
  private func most(_ bytes: Int) -> Int {
    let budget = MemoryBudget(bytes: 100)
    let state = Mutex((now: 0, most: 0))
    DispatchQueue.concurrentPerform(iterations: 12) { _ in
      budget.with(bytes) {
        state.withLock { state in
          state.now += bytes
          state.most = max(state.most, state.now)
        }
        Thread.sleep(forTimeInterval: 0.002)
        state.withLock { $0.now -= bytes }
      }
    }
    return state.withLock { $0.most }
  }

  @Test func `threads at work stay within the bytes`() {
    #expect(most(40) <= 80)
  }

  @Test func `what needs more than there is has all to itself`() {
    #expect(most(1000) == 1000)
  }

  @Test func `an error gives the bytes back`() throws {
    let budget = MemoryBudget(bytes: 10)
    for _ in 0..<3 {
      #expect(throws: ImagingError.badData("x")) {
        try budget.with(10) { () throws(ImagingError) in throw .badData("x") }
      }
    }
  }
}
