/// How much of the steps' time a rank waited for data.
package struct DataWait: Sendable {
  private var data = 0.0
  private var total = 0.0

  package init() {}

  /// Adds a step.
  package mutating func add(_ step: StepSeconds) {
    data += step.data
    total += step.data + step.forward + step.backward + step.allreduceExposed + step.update
  }

  /// The share of the time, 0 to 1; 0 before the first step.
  package var share: Double { total > 0 ? data / total : 0 }

  /// A line for the log where `share` is worth one, nil for 1 % or less; `rank` says whose it is.
  package static func notice(_ share: Double, on rank: String) -> String? {
    guard share > 0.01 else { return nil }
    return "steps waited for data \(Progress.rounded(100 * share, 1)) % of their time on \(rank)"
  }
}
