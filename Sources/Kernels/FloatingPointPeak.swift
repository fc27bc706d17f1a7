import CKernels
import Tensors

/// What the processor can do at most, for comparison.
package enum FloatingPointPeak {
  /// Floating-point operations a second of independent multiply-adds on all threads, measured for a few
  /// milliseconds.
  package static func measure(on compute: Compute) -> Double {
    let rounds = 2_000_000
    var best = 0.0
    for _ in 0..<3 {
      let duration = ContinuousClock().measure {
        compute.team.parallelFor(compute.team.threads) { _, _ in _ = lk_multiply_adds(rounds) }
      }
      let count = Double(lk_multiply_add_width() * rounds * compute.team.threads)
      best = max(best, 2 * count / (duration / .seconds(1)))
    }
    return best
  }
}
