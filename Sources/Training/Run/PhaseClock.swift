import Collectives

/// Tells how long the parts of a step took.
package struct PhaseClock: Sendable {
  private(set) var seconds = StepSeconds()
  private var start = ContinuousClock.now

  /// Starts now.
  package init() {}

  /// How long the part under way has taken.
  var secondsSinceLastEnd: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Adds the time since the last part ended to `phase`.
  mutating func end(_ phase: WritableKeyPath<StepSeconds, Double>) {
    let now = ContinuousClock.now
    seconds[keyPath: phase] += (now - start) / .seconds(1)
    start = now
  }

  /// Adds the time since the last part ended to exposed communication, and what the reducer did
  /// before that to hidden.
  mutating func endAllreduce(_ reducer: GradientReducer) {
    end(\.allreduceExposed)
    seconds.allreduceHidden += reducer.hiddenSeconds
  }
}
