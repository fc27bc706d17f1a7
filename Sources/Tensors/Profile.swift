/// What the calls of a step are and where its time goes, by layer and phase, in the order of first use.
/// For one thread.
package final class Profile: @unchecked Sendable {
  /// What a layer is doing.
  package enum Phase: String, Codable, Sendable {
    case forward, recompute
    case inputGradient = "input gradient"
    case weightGradient = "weight gradient"
    case update
  }

  /// What a layer did in a phase.
  package struct Entry: Sendable {
    package let layer: String
    package let phase: Phase
    package fileprivate(set) var calls = 0
    package fileprivate(set) var seconds = 0.0
    /// Multiplications and additions of its products, as its algorithm has them.
    package fileprivate(set) var operations = 0.0
  }

  package private(set) var entries: [Entry] = []
  private var current = 0

  package init() {}

  /// Forgets all entries.
  package func reset() { entries = [] }

  fileprivate func begin(_ layer: String, _ phase: Phase) {
    current =
      entries.firstIndex { $0.layer == layer && $0.phase == phase } ?? entries.endIndex
    if current == entries.endIndex { entries.append(Entry(layer: layer, phase: phase)) }
    entries[current].calls += 1
  }

  fileprivate func end(seconds: Double) { entries[current].seconds += seconds }

  fileprivate func add(operations: Double) {
    if entries.indices.contains(current) { entries[current].operations += operations }
  }
}

extension Compute {
  /// Calls `body`, and notes its time if a profile is kept. Calls must not be nested.
  package func measure<T>(_ layer: String, _ phase: Profile.Phase, _ body: () -> T) -> T {
    guard let profile else { return body() }
    profile.begin(layer, phase)
    let start = ContinuousClock.now
    defer { profile.end(seconds: (ContinuousClock.now - start) / .seconds(1)) }
    return body()
  }

  /// Notes that the layer at work multiplies and adds so many pairs, each counted as two operations.
  package func note(multiplyAdds count: Double) { profile?.add(operations: 2 * count) }
}
