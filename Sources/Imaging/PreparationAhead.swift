import Foundation
import Synchronization

/// Prepares subjects on threads of their own before they are needed, in a given order.
///
/// The threads give way to those that train (nice 10), and take the cores where these wait for data.
package final class PreparationAhead: Sendable {
  private let queue: SubjectQueue

  /// Starts `threads` threads that call `prepare` for each subject in turn.
  ///
  /// An error is left for whoever needs the subject, who meets it again; after one of writing
  /// nothing more is prepared.
  package init(
    threads: Int, subjects: [Subject],
    prepare: @escaping @Sendable (Subject) throws(ImagingError) -> Void
  ) {
    queue = SubjectQueue(subjects, threads: threads)
    for index in 0..<threads {
      let thread = Thread { [queue] in
        // On Linux this is the calling thread alone.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        queue.work(prepare)
      }
      thread.name = "lkdist-ahead-\(index)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit { queue.stop(waits: false) }

  /// Ends the threads, after the subjects they are at.
  package func stop() { queue.stop(waits: true) }
}

/// The subjects that are left, shared by the threads.
private final class SubjectQueue: @unchecked Sendable {
  // Guards what follows.
  private let condition = NSCondition()
  private var subjects: ArraySlice<Subject>
  private var running: Int

  init(_ subjects: [Subject], threads: Int) {
    self.subjects = subjects[...]
    running = threads
  }

  func work(_ prepare: (Subject) throws(ImagingError) -> Void) {
    while let subject = condition.withLock({ subjects.popFirst() }) {
      do throws(ImagingError) { try prepare(subject) } catch {
        if case .inputOutput = error { stop(waits: false) }
      }
    }
    condition.withLock {
      running -= 1
      condition.broadcast()
    }
  }

  func stop(waits: Bool) {
    condition.withLock {
      subjects = []
      while waits && running > 0 { condition.wait() }
    }
  }
}
