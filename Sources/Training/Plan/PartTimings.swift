import Foundation
import NN
import Tensors

/// Seconds that the calls of parts of a step take on one kind of machine, with so many ranks of so many
/// threads at work at once.
package struct PartTimings: Codable, Sendable {
  struct Call: Codable, Sendable {
    /// The layer's name without that of its part.
    let layer: String
    let phase: Profile.Phase
    let seconds: Double
  }

  /// By what makes two parts the same work.
  private(set) var calls: [String: [Call]] = [:]

  package init() {}

  /// The parts among `parts` that were not timed yet, each work once.
  package func missing(of parts: [StepPart]) -> [StepPart] {
    var seen: Set<String> = []
    return parts.filter { calls[$0.work] == nil && seen.insert($0.work).inserted }
  }

  /// Drops what is known of `parts`.
  package mutating func forget(_ parts: [StepPart]) {
    for part in parts { calls[part.work] = nil }
  }

  /// Keeps the mean seconds of a call, of profiles of the same passes by several ranks.
  mutating func keep(_ part: StepPart, _ profiles: [[Profile.Entry]]) {
    guard let first = profiles.first else { return }
    calls[part.work] = first.indices.map { index in
      let seconds = profiles.map { $0[index].seconds / Double($0[index].calls) }
      return Call(
        layer: String(first[index].layer.dropFirst(part.name.count)), phase: first[index].phase,
        seconds: seconds.reduce(0, +) / Double(seconds.count))
    }
  }

  /// What each call of a step made of `parts` costs.
  package func prices(of parts: [StepPart]) -> CallPrices {
    var prices = CallPrices()
    for part in parts {
      for call in calls[part.work] ?? [] {
        prices.set(call.seconds * part.factor, layer: part.name + call.layer, phase: call.phase)
      }
    }
    return prices
  }
}

/// Seconds of one call of each layer in each phase.
package struct CallPrices: Sendable {
  private struct Key: Hashable {
    let layer: String
    let phase: Profile.Phase
  }
  private var seconds: [Key: Double] = [:]

  mutating func set(_ value: Double, layer: String, phase: Profile.Phase) {
    seconds[Key(layer: layer, phase: phase)] = value
  }

  /// The seconds of all `calls`; those of no known price count nothing.
  package func total(of calls: [Profile.Entry]) -> Double {
    calls.reduce(0) {
      $0 + (seconds[Key(layer: $1.layer, phase: $1.phase)] ?? 0) * Double($1.calls)
    }
  }

  /// The calls whose price is not known, such as "loss forward".
  package func unknown(of calls: [Profile.Entry]) -> [String] {
    calls.filter { seconds[Key(layer: $0.layer, phase: $0.phase)] == nil }
      .map { "\($0.layer) \($0.phase.rawValue)" }
  }
}
