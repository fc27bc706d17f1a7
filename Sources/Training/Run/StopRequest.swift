import Foundation
import Synchronization

/// Asks a run to stop at the end of its step: a signal or `LKDIST_TIME_LIMIT`.
package enum StopRequest {
  /// Catches SIGTERM, SIGINT and SIGUSR1; a second SIGINT ends the process at once.
  package static func catchSignals() {
    _ = start
    var numbers = sigset_t()
    sigemptyset(&numbers)
    for number in [SIGTERM, SIGINT, SIGUSR1] {
      signal(number, noteSignal)
      sigaddset(&numbers, number)
    }
    // A parent that blocks signals hands its mask down; ours would then never arrive.
    pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
  }

  /// Whether this rank was asked to stop.
  package static var isMade: Bool {
    signals.load(ordering: .relaxed) > 0 || ContinuousClock.now - start > timeLimit
  }

  /// What is wrong with `LKDIST_TIME_LIMIT`; nil where it is unset or a number of seconds.
  package static var problem: String? {
    guard let text = limitText, seconds(text) == nil else { return nil }
    return "LKDIST_TIME_LIMIT is '\(text)', not a number of seconds"
  }

  private static let start = ContinuousClock.now

  private static let limitText = ProcessInfo.processInfo.environment["LKDIST_TIME_LIMIT"]

  private static let timeLimit: Duration = .seconds(limitText.flatMap(seconds) ?? 1e12)

  private static func seconds(_ text: String) -> Double? {
    Double(text).flatMap { (0...1e12).contains($0) ? $0 : nil }
  }
}

/// The signals so far. A handler can reach nothing but a global.
private let signals = Atomic(0)

/// The handler: sets the flag, or leaves at the second SIGINT.
private func noteSignal(_ number: Int32) {
  let before = signals.add(1, ordering: .relaxed).oldValue
  if number == SIGINT && before > 0 { _exit(130) }
}
