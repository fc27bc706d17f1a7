import Kernels
import Tensors

/// Adam (Kingma and Ba 2015, Algorithm 1) as torch.optim.Adam computes it.
package final class Adam {
  /// The ranges of the flat block that are updated; their moments lie one after the other.
  package let ranges: [Range<Int>]
  /// The running mean of each gradient.
  package let first: FloatBuffer
  /// The running mean of each squared gradient.
  package let second: FloatBuffer
  /// Updates done so far.
  package var step = 0
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Double
  private let weightDecay: Double

  /// An optimizer of the values in `ranges` of a flat block.
  ///
  /// - Parameters:
  ///   - beta1: decay of the first moment, in [0, 1).
  ///   - beta2: decay of the second moment, in [0, 1).
  ///   - epsilon: added to the root of the corrected second moment.
  ///   - weightDecay: times the value, added to the gradient.
  package init(
    over ranges: [Range<Int>], beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0
  ) {
    let count = ranges.reduce(0) { $0 + $1.count }
    self.ranges = ranges
    first = FloatBuffer(zeros: count)
    second = FloatBuffer(zeros: count)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// An optimizer with the default constants of all of `count` values.
  package convenience init(count: Int, weightDecay: Double = 0) {
    self.init(over: [0..<count], weightDecay: weightDecay)
  }

  /// Moves every value of `ranges` against its gradient.
  package func update(
    _ parameters: ParameterStore, learningRate: Double, on compute: Compute
  ) {
    step += 1
    let move = AdamUpdate(
      step: step, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay)
    compute.measure("optimizer", .update) {
      forEachRange { range, moments in
        move(
          parameters.values.slice.slice(range), gradients: parameters.gradients.slice.slice(range),
          first: first.slice.slice(moments), second: second.slice.slice(moments), on: compute)
      }
    }
  }

  /// Calls `body` with each range of the flat block and that of its moments in `first` and `second`.
  package func forEachRange<E: Error>(
    _ body: (_ range: Range<Int>, _ moments: Range<Int>) throws(E) -> Void
  ) throws(E) {
    var offset = 0
    for range in ranges {
      try body(range, offset..<offset + range.count)
      offset += range.count
    }
  }
}
