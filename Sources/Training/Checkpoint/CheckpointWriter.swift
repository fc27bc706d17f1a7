import Files
import Foundation

/// Writes checkpoints on a thread of its own while training goes on; makes no MPI call.
///
/// At most one write is under way. Our choice: the next one waits for it, so that every checkpoint
/// that was asked for is written, in order. One thread calls.
package final class CheckpointWriter: @unchecked Sendable {
  /// The files that a snapshot can become.
  package enum Kind: Sendable { case best, last }

  /// A file that could not be written, and why.
  package struct Failure: Equatable, Sendable {
    package let kind: Kind
    package let error: TrainingError
  }

  private let folder: CheckpointFolder
  private let keep: Int
  // Guards everything below.
  private let condition = NSCondition()
  private var isWriting = false
  private var bytesWritten = 0
  private var failure: Failure?

  /// A writer of the checkpoints in `folder`, of which `keep` are kept to go on from.
  package init(_ folder: CheckpointFolder, keep: Int) {
    self.folder = folder
    self.keep = keep
  }

  /// Whether nothing is being written.
  package var isIdle: Bool { condition.withLock { !isWriting } }

  /// Begins to write a snapshot, which must not change until `wait` returns. Call `wait` before.
  ///
  /// - Parameters:
  ///   - kinds: the files in order, `best` first: a `last` that knows a best score must not be there
  ///     without it. The first that cannot be written ends the write.
  ///   - report: is told, on the writing thread, of a file that cannot be written.
  package func start(
    _ snapshot: CheckpointSnapshot, as kinds: [Kind],
    report: @escaping @Sendable (TrainingError) -> Void
  ) {
    condition.withLock {
      precondition(!isWriting, "a checkpoint is begun while another is being written")
      (isWriting, bytesWritten, failure) = (true, 0, nil)
    }
    let thread = Thread { [self] in
      let failure = write(snapshot, as: kinds)
      if let failure { report(failure.error) }
      condition.withLock {
        self.failure = failure
        isWriting = false
        condition.broadcast()
      }
    }
    thread.name = "lkdist-checkpoint"
    thread.start()
  }

  /// Returns when nothing is being written.
  ///
  /// - Parameter reached: is told how far the write is, whenever it has got further.
  /// - Returns: what the last write could not do; nil once that was returned.
  package func wait(_ reached: (String) -> Void = { _ in }) -> Failure? {
    condition.withLock {
      var seen = 0
      while isWriting {
        if bytesWritten > seen {
          seen = bytesWritten
          reached("\(seen >> 20) MiB written")
        }
        _ = condition.wait(until: Date(timeIntervalSinceNow: 0.5))
      }
      defer { failure = nil }
      return failure
    }
  }

  private func write(_ snapshot: CheckpointSnapshot, as kinds: [Kind]) -> Failure? {
    for kind in kinds {
      do throws(TrainingError) {
        switch kind {
        case .best: try writeBest(snapshot)
        case .last: try writeLast(snapshot)
        }
      } catch {
        return Failure(kind: kind, error: error)
      }
    }
    return nil
  }

  private func writeBest(_ snapshot: CheckpointSnapshot) throws(TrainingError) {
    try Checkpoint.write(
      to: folder.best, weights: snapshot.weights, metadata: snapshot.metadata, wrote: count)
  }

  private func writeLast(_ snapshot: CheckpointSnapshot) throws(TrainingError) {
    try Checkpoint.write(
      to: folder.last, weights: snapshot.weights, first: snapshot.first, second: snapshot.second,
      metadata: snapshot.metadata, wrote: count
    ) { () throws(FileError) in try folder.makeRoom(keeping: keep) }
    folder.removeSurplus(keeping: keep)
  }

  private func count(_ bytes: Int) { condition.withLock { bytesWritten += bytes } }
}
