/// Where the time of a step goes, by layer and phase, in the order of first use. For one thread.
package final class Profile: @unchecked Sendable {
  /// What a layer is doing.
  package enum Phase: String, Sendable {
    case forward, recompute
    case inputGradient = "input gradient"
    case weightGradient = "weight gradient"
    case update
  }

  /// The seconds that a layer spent in a phase.
  package struct Entry {
    package let layer: String
    package let phase: Phase
    package fileprivate(set) var seconds: Double
  }

  package private(set) var entries: [Entry] = []

  package init() {}

  /// Forgets all entries.
  package func reset() { entries = [] }

  fileprivate func add(_ seconds: Double, layer: String, phase: Phase) {
    if let index = entries.firstIndex(where: { $0.layer == layer && $0.phase == phase }) {
      entries[index].seconds += seconds
    } else {
      entries.append(Entry(layer: layer, phase: phase, seconds: seconds))
    }
  }
}

extension Compute {
  /// Calls `body`, and notes its time if a profile is kept. Calls must not be nested.
  package func measure<T>(_ layer: String, _ phase: Profile.Phase, _ body: () -> T) -> T {
    guard let profile else { return body() }
    let start = ContinuousClock.now
    defer { profile.add((ContinuousClock.now - start) / .seconds(1), layer: layer, phase: phase) }
    return body()
  }
}
