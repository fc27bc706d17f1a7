import Foundation
import Tensors

/// The simulation of training steps of many ranks, event by event: what each rank computes in its own
/// time, and the sums of buckets that wait for the last of them.
///
/// A rank's step takes what was measured times a factor of its own, drawn anew for each step. It
/// releases buckets on its way through backward. The sum of a bucket starts when the last rank has
/// released it and the communication threads have ended the sum before; all ranks have it at the same
/// time. A rank updates its weights when it has all sums, and begins the next step.
package struct StepSimulation {
  /// Ranks that are slower than the others.
  package struct SlowRanks: Equatable, Sendable {
    /// Which share of the ranks, rounded to whole ranks.
    package var share: Double
    /// How many times as long their steps take.
    package var factor: Double

    package init(share: Double = 0, factor: Double = 1) {
      (self.share, self.factor) = (share, factor)
    }
  }

  /// Seconds of a step, of means over ranks and steps; they add up to `step`.
  package struct Outcome: Equatable, Sendable {
    package var computing = 0.0
    /// Until the slowest rank had ended its backward pass.
    package var waitingForSlowest = 0.0
    /// From then until the last bucket was summed.
    package var exposed = 0.0
    /// Between two ends of a step.
    package var step = 0.0
  }

  private let profile: StepProfile
  private let ranks: Int
  private let seed: UInt64
  private let spread: Double
  private let slow: SlowRanks
  private let slowCount: Int
  private let buckets: [(released: Double, seconds: Double)]
  /// Seconds that a rank computes longer if all sums are under way meanwhile.
  private let lost: Double

  /// - Parameters:
  ///   - lossPerByte: seconds that a rank computes longer for each byte that is summed meanwhile.
  ///   - secondsOfSum: how long the sum of a bucket of so many bytes takes once it has started.
  package init(
    _ profile: StepProfile, ranks: Int, bucketMiB: Double, slow: SlowRanks = SlowRanks(),
    seed: UInt64, lossPerByte: Double = 0, secondsOfSum: (_ bytes: Int) -> Double
  ) {
    (self.profile, self.ranks, self.seed, self.slow) = (profile, ranks, seed, slow)
    slowCount = Int((slow.share * Double(ranks)).rounded())
    // The logarithm's deviation that gives factors of this relative deviation.
    spread = log(1 + profile.jitter * profile.jitter).squareRoot()
    let isAlone = ranks == 1
    lost = isAlone ? 0 : lossPerByte * Double(4 * profile.gradients)
    buckets = profile.buckets(ofMiB: bucketMiB).map {
      (released: $0.released, seconds: isAlone ? 0 : secondsOfSum($0.bytes))
    }
  }

  /// Seconds in which all buckets are summed one after the other, with nothing else to do.
  package var secondsOfSums: Double { buckets.reduce(0) { $0 + $1.seconds } }

  /// What `steps` steps take.
  package func run(steps: Int) -> Outcome {
    var clocks = [Double](repeating: 0, count: ranks)
    var outcome = Outcome()
    for step in 0..<steps { advance(&clocks, through: step, &outcome) }
    let total = clocks.reduce(0, +) / Double(ranks)
    let count = Double(steps)
    return Outcome(
      computing: outcome.computing / count,
      waitingForSlowest: outcome.waitingForSlowest / count, exposed: outcome.exposed / count,
      step: total / count)
  }

  /// Takes every rank's clock from the start of a step to its end.
  private func advance(_ clocks: inout [Double], through step: Int, _ outcome: inout Outcome) {
    let factors = (0..<ranks).map { factor(rank: $0, step: step) }
    let starts = zip(clocks, factors).map { $0 + $1 * profile.forward }
    let undisturbed = zip(starts, factors).map { $0 + $1 * profile.backward }
    let endOfSums = endOfSums(starts, factors)
    let loss = loss(until: undisturbed.max() ?? 0, endOfSums)
    let ends = undisturbed.map { $0 + loss }
    let lastEnd = ends.max() ?? 0
    let summed = max(lastEnd, endOfSums)
    for rank in clocks.indices {
      let update = factors[rank] * profile.update
      outcome.computing += (ends[rank] - clocks[rank] + update) / Double(ranks)
      outcome.waitingForSlowest += (lastEnd - ends[rank]) / Double(ranks)
      clocks[rank] = summed + update
    }
    outcome.exposed += summed - lastEnd
  }

  /// Seconds that the sums under way before `lastEnd` take from computing, in proportion to the time of all.
  private func loss(until lastEnd: Double, _ endOfSums: Double) -> Double {
    guard secondsOfSums > 0 else { return 0 }
    let after = min(max(0, endOfSums - lastEnd), secondsOfSums)
    return lost * (1 - after / secondsOfSums)
  }

  /// When the last bucket is summed.
  ///
  /// - Parameter starts: when each rank began its backward pass.
  private func endOfSums(_ starts: [Double], _ factors: [Double]) -> Double {
    buckets.reduce(0) { end, bucket in
      var released = 0.0
      for rank in starts.indices {
        released = max(released, starts[rank] + factors[rank] * bucket.released)
      }
      return max(end, released) + bucket.seconds
    }
  }

  /// How many times as long as measured a rank takes for a step: log-normal with mean 1, and more for the
  /// slow ones, which are the first ones.
  private func factor(rank: Int, step: Int) -> Double {
    let slowness = rank < slowCount ? slow.factor : 1
    guard spread > 0 else { return slowness }
    var stream = RandomStream(seed: seed, purpose: "step time", epoch: step, patch: rank)
    return slowness * exp(spread * stream.normal() - spread * spread / 2)
  }
}
