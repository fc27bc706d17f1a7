import Foundation

/// The learning rate over a run.
package struct Schedule: Codable, Hashable, Sendable {
  /// How the rate falls with progress t in [0, 1].
  package enum Kind: String, Codable, CaseIterable, Sendable {
    /// base (1 - t)^power.
    case poly
    /// base (1 + cos(pi t)) / 2, which ends at 0.
    case cosine
    /// base.
    case constant
  }

  /// How the base grows with the patches of one step (ranks x accumulation).
  package enum Scaling: String, Codable, CaseIterable, Sendable {
    case none
    case sqrt
    case linear

    /// What the base is multiplied by.
    package func factor(globalBatch: Int) -> Double {
      switch self {
      case .none: 1
      case .sqrt: Double(globalBatch).squareRoot()
      case .linear: Double(globalBatch)
      }
    }
  }

  /// The law of the fall.
  package var kind: Kind
  /// The rate at t = 0, already scaled by the global batch.
  package var base: Double
  /// Exponent of `poly`.
  package var power: Double
  /// Steps over which the rate rises linearly from base / warmupSteps to base; 0 for none.
  package var warmupSteps: Int

  package init(
    kind: Kind = .poly, base: Double, power: Double = 0.9, warmupSteps: Int = 0,
    scaling: Scaling = .none, globalBatch: Int = 1
  ) {
    self.kind = kind
    self.base = base * scaling.factor(globalBatch: globalBatch)
    self.power = power
    self.warmupSteps = warmupSteps
  }

  /// The rate of a step.
  ///
  /// - Parameters:
  ///   - t: patches done before the step / patches of the whole run, in [0, 1].
  ///   - step: steps done before it; the first warm-up step has base / warmupSteps.
  package func learningRate(progress t: Double, step: Int) -> Double {
    guard step >= warmupSteps else { return base * Double(step + 1) / Double(warmupSteps) }
    let t = min(max(t, 0), 1)
    switch kind {
    case .poly: return base * pow(1 - t, power)
    case .cosine: return base * (1 + cos(.pi * t)) / 2
    case .constant: return base
    }
  }
}
