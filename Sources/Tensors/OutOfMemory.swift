import Synchronization

/// The end of a process that gets no more memory: no computation can go on without it.
package enum OutOfMemory {
  /// Has `end` called with the message, in place of a trap: a rank has others to end.
  package static func ends(by end: @escaping @Sendable (_ message: String) -> Never) {
    ending.withLock { $0 = end }
  }

  /// Ends the process because `bytes` more could not be had.
  static func end(wanting bytes: Int) -> Never {
    ending.withLock { $0 }(
      "out of memory: \(mebibytes(bytes)) MiB more could not be had; use a smaller data.patchSize, "
        + "training.recompute: blocks, or fewer ranks a node on more nodes; limits are in "
        + "`ulimit -a` and in --mem of the job")
  }

  /// Rounded up: "0 MiB" would explain nothing.
  private static func mebibytes(_ bytes: Int) -> Int { (bytes + (1 << 20) - 1) >> 20 }

  private static let ending = Mutex<@Sendable (String) -> Never>({ fatalError($0) })
}
