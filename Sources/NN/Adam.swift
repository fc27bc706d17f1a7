import Kernels
import Tensors

/// Adam (Kingma and Ba 2015, Algorithm 1) as torch.optim.Adam computes it.
package final class Adam {
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

  /// An optimizer of `count` values.
  ///
  /// - Parameters:
  ///   - beta1: decay of the first moment, in [0, 1).
  ///   - beta2: decay of the second moment, in [0, 1).
  ///   - epsilon: added to the root of the corrected second moment.
  ///   - weightDecay: times the value, added to the gradient.
  package init(
    count: Int, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0
  ) {
    first = FloatBuffer(zeros: count)
    second = FloatBuffer(zeros: count)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Moves every value against its gradient.
  package func update(
    _ parameters: ParameterStore, learningRate: Double, on compute: Compute
  ) {
    step += 1
    let move = AdamUpdate(
      step: step, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay)
    move(
      parameters.values.slice, gradients: parameters.gradients.slice, first: first.slice,
      second: second.slice, on: compute)
  }
}
