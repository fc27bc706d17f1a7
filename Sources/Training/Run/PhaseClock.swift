import Collectives

/// Tells how long the parts of a step took.
package struct PhaseClock: Sendable {
  private(set) var seconds = StepSeconds()
  private var start = ContinuousClock.now

  /// Starts now.
  package init() {}

  /// Adds the time since the last part ended to `phase`.
  mutating func end(_ phase: WritableKeyPath<StepSeconds, Double>) {
    let now = ContinuousClock.now
    seconds[keyPath: phase] += (now - start) / .seconds(1)
    start = now
  }

  /// Counts the time since the last part ended, and what backward spent in the reducer, as exposed
  /// communication.
  mutating func moveExposed(_ reducer: GradientReducer) {
    let now = ContinuousClock.now
    let sinceBackward = (now - start) / .seconds(1)
    start = now
    seconds.allreduceExposed = max(sinceBackward, reducer.exposedSeconds)
    seconds.backward -= seconds.allreduceExposed - sinceBackward
    seconds.allreduceHidden = reducer.hiddenSeconds
  }
}
