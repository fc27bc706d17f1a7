import Foundation
import Synchronization

/// The threads of one rank: exactly as many as the rank was given, kept alive between calls.
///
/// libdispatch would size itself by the whole node, not by the rank's share of it. Work items are
/// handed out in order to whichever thread is free, so results must not depend on the thread. A step
/// has hundreds of calls: threads look for the next one for a while before they sleep.
package final class ThreadTeam: @unchecked Sendable {
  /// The number of threads that work, the caller's included.
  package let threads: Int
  private let isRehearsing: Bool

  private struct Job {
    let count: Int
    let body: (_ index: Int, _ thread: Int) -> Void
  }
  private let condition = NSCondition()
  // A pointer, so that no worker still owns the caller's closure when `parallelFor` returns; nil ends the
  // workers. Written before `generation` rises, which tells them to read it.
  private var job: UnsafePointer<Job>?
  private let generation = Atomic(0)
  private let busyWorkers = Atomic(0)
  private let nextIndex = Atomic(0)
  // Our choice: some tens of microseconds, about what falling asleep and being woken takes.
  private static let looks = 20_000

  /// Starts `threads - 1` workers; the thread that calls `parallelFor` is the last of the team.
  package init(threads: Int) {
    precondition(threads >= 1, "a team needs a thread, not \(threads)")
    self.threads = threads
    isRehearsing = false
    for worker in 1..<max(threads, 1) {
      let thread = Thread { [self] in work(as: worker) }
      thread.name = "lkdist-\(worker)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// A team that leaves out all work, to find out what there is of it and what memory it takes.
  init(rehearsing threads: Int) {
    self.threads = threads
    isRehearsing = true
  }

  /// Ends the workers; call it once, before the team goes away.
  package func stop() {
    condition.withLock {
      job = nil
      generation.wrappingAdd(1, ordering: .releasing)
      condition.broadcast()
    }
  }

  /// Calls `body(index, thread)` for every index in 0..<count, on all threads, and returns when
  /// all are done. `thread` is in 0..<threads and tells which scratch memory is free to use.
  package func parallelFor(_ count: Int, _ body: (_ index: Int, _ thread: Int) -> Void) {
    if isRehearsing { return }
    guard threads > 1 && count > 1 else {
      for index in 0..<count { body(index, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: Job(count: count, body: body)) { job in
        start(job)
        run(job, as: 0)
        wait { busyWorkers.load(ordering: .acquiring) == 0 }
      }
    }
  }

  /// Calls `body(chunk, range)` for each run of `length` indices of 0..<count, the last maybe
  /// shorter, on all threads. The runs do not depend on the number of threads.
  package func forChunks(
    of count: Int, length: Int, _ body: (_ chunk: Int, _ range: Range<Int>) -> Void
  ) {
    parallelFor((count + length - 1) / length) { chunk, _ in
      body(chunk, chunk * length..<min(count, (chunk + 1) * length))
    }
  }

  private func start(_ job: UnsafePointer<Job>) {
    condition.withLock {
      self.job = job
      busyWorkers.store(threads - 1, ordering: .relaxed)
      nextIndex.store(0, ordering: .relaxed)
      generation.wrappingAdd(1, ordering: .releasing)
      condition.broadcast()
    }
  }

  @inline(never) private func run(_ job: UnsafePointer<Job>, as thread: Int) {
    while true {
      let index = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < job.pointee.count else { return }
      job.pointee.body(index, thread)
    }
  }

  private func work(as thread: Int) {
    var seen = 0
    while let job = waitForJob(after: &seen) {
      run(job, as: thread)
      if busyWorkers.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
        condition.withLock { condition.broadcast() }
      }
    }
  }

  private func waitForJob(after seen: inout Int) -> UnsafePointer<Job>? {
    let last = seen
    wait { generation.load(ordering: .acquiring) != last }
    seen += 1
    return job
  }

  /// Returns when `isOver`, which becomes true under the condition or before it is broadcast.
  private func wait(until isOver: () -> Bool) {
    for _ in 0..<Self.looks where isOver() { return }
    condition.withLock { while !isOver() { condition.wait() } }
  }
}
