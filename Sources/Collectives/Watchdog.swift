import Foundation

/// Ends the job with code 71 when a rank hangs, is stopped, or is cut off.
///
/// Open MPI tells nobody of a dead peer: calls stay pending for ever. So a thread of each rank sends
/// what the rank is doing to the root, and the root's thread names the late one; the others watch
/// whether the root still sends. Without MPI_THREAD_MULTIPLE the thread cannot send and each rank
/// watches its own work only.
package final class Watchdog: @unchecked Sendable {
  private let activity: Activity
  private let timeout: Double
  private let hosts: [String]
  private let rank: Int
  private let report: @Sendable (String) -> Void
  // Used by the watching thread only.
  private var post: BeatPost?
  private var watch: Watch
  private var lastLook = monotonicSeconds()
  private var lastSent = -Double.infinity
  // Guards the two flags below.
  private let condition = NSCondition()
  private var isStopping = false
  private var hasEnded = false

  /// Seconds between two looks, and between two beats of a rank.
  ///
  /// Beats come every timeout/10, but Our choice: at least every 5 s, so that a rank that makes no
  /// progress is found within the timeout and 10 s however long that is.
  private let (look, pause): (Double, Double)

  /// Begins to watch. Collective over `world`, of which it takes a duplicate.
  ///
  /// - Parameters:
  ///   - timeout: seconds without progress after which a rank is late.
  ///   - report: is told who is late before the job ends; it may hang and gets one second.
  package init(
    _ activity: Activity, over world: Communicator, timeout: Double,
    report: @escaping @Sendable (String) -> Void
  ) throws(CommunicationError) {
    self.activity = activity
    self.timeout = timeout
    self.report = report
    rank = world.rank
    hosts = try world.broadcast((world.gather(world.hostName) ?? []).joined(separator: "\n"))
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let own = try world.duplicate()
    let sends = try world.allowsThreads() && world.size > 1
    post = sends ? BeatPost(own) : nil
    let (watched, scope): (ClosedRange<Int>, Watch.Scope) =
      !sends
      ? (rank...rank, .work)
      : rank == 0 ? (0...world.size - 1, .everything) : (0...0, .silence)
    watch = Watch(over: watched, judging: scope, timeout: timeout, now: monotonicSeconds())
    pause = min(timeout / 10, 5)
    look = min(pause / 2, 1)
    let thread = Thread { [self] in run() }
    thread.name = "lkdist-watchdog"
    thread.start()
  }

  /// Ends the watch and returns when its thread has made its last MPI call; call it once all ranks
  /// are past the last barrier, before MPI ends.
  package func stop() {
    condition.withLock {
      isStopping = true
      condition.broadcast()
      while !hasEnded { condition.wait() }
    }
  }

  private func run() {
    while condition.withLock({ !waitForNextLook() }) {
      forgiveOwnStop()
      exchange()
      let late = watch.late(now: monotonicSeconds())
      if !late.isEmpty { end(late) }
    }
    condition.withLock {
      hasEnded = true
      condition.broadcast()
    }
  }

  /// Sleeps until the next look; true when the watch ends.
  private func waitForNextLook() -> Bool {
    let until = Date(timeIntervalSinceNow: look)
    while !isStopping, condition.wait(until: until) {}
    return isStopping
  }

  /// A process that was stopped as a whole (SIGSTOP, a suspended Slurm job) finds a gap between two
  /// looks; in it, it heard nothing and did nothing, which says nothing about the others.
  private func forgiveOwnStop() {
    let now = monotonicSeconds()
    let gap = now - lastLook - look
    if gap > max(1, 2 * look) {
      watch.forgive(gap)
      activity.forgive(gap)
    }
    lastLook = now
  }

  private func exchange() {
    let (now, beat) = (monotonicSeconds(), activity.beat)
    // The root watches itself too; a rank without a post watches nobody else.
    if rank == 0 || post == nil { watch.hear(beat, from: rank, now: now) }
    guard let post else { return }
    if now - lastSent >= pause {
      post.send(beat)
      lastSent = now
    }
    post.receive { beat, rank in watch.hear(beat, from: rank, now: now) }
  }

  private func end(_ late: [Watch.Late]) -> Never {
    // Of many late ranks the first few tell enough.
    let named = late.prefix(8).map(describe).joined(separator: "; ")
    let more = late.count > 8 ? "; and \(late.count - 8) more" : ""
    let own = late.contains { $0.rank == rank } ? "" : "; this rank is in \(activity.beat)"
    let message =
      "\(named)\(more)\(own); the job ends, the last checkpoint stands: look at that host, then run "
      + "again (distributed.timeoutSeconds is \(timeout))"
    let (report, done) = (self.report, DispatchSemaphore(value: 0))
    Thread.detachNewThread {
      report(message)
      done.signal()
    }
    _ = done.wait(timeout: .now() + 1)
    fail(message, code: 71)
  }

  private func describe(_ late: Watch.Late) -> String {
    let host = hosts.indices.contains(late.rank) ? hosts[late.rank] : "an unknown host"
    let name = (late.rank == 0 ? "the root, rank 0 on " : "rank \(late.rank) on ") + host
    let place = late.beat.map { "in \($0)" }
    return switch late.reason {
    case .silent(let seconds):
      place.map { "\(name), last \($0), has been silent for \(Int(seconds)) s" }
        ?? "\(name) began the run but has sent no sign of life in \(Int(seconds)) s"
    case .stuck(let seconds):
      "\(name), \(place ?? "at work"), has made no progress for \(Int(seconds)) s"
    case .behind(let seconds):
      "all ranks wait for each other; furthest behind is \(name), \(place ?? "waiting"), for "
        + "\(Int(seconds)) s"
    }
  }
}
