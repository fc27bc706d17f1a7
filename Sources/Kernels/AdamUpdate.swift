import CKernels
import Foundation
import Tensors

/// One step of Adam over a flat block (Kingma and Ba 2015, Algorithm 1), as torch.optim.Adam does it.
package struct AdamUpdate: Sendable {
  private let step: lk_adam_step

  /// The update of step `step`, counted from 1. `epsilon` is added to the root of the corrected
  /// second moment; `weightDecay` times the value is added to the gradient (not AdamW's decay).
  package init(
    step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
    weightDecay: Double
  ) {
    precondition(step >= 1, "Adam's steps are counted from 1, not \(step)")
    // 1 - beta from the doubles: 1 - 0.999 in single precision is off by 1.3e-5.
    self.step = lk_adam_step(
      beta1: Float(beta1), beta2: Float(beta2), complement1: Float(1 - beta1),
      complement2: Float(1 - beta2), epsilon: Float(epsilon), weight_decay: Float(weightDecay),
      step_size: Float(learningRate / (1 - pow(beta1, Double(step)))),
      second_scale: Float(1 / (1 - pow(beta2, Double(step))).squareRoot()))
  }

  /// Updates `values` and both moments from `gradients`; all four have the same count.
  package func callAsFunction(
    _ values: FloatSlice, gradients: FloatSlice, first: FloatSlice, second: FloatSlice,
    on compute: Compute
  ) {
    precondition(
      values.count == gradients.count && values.count == first.count
        && values.count == second.count,
      "\(values.count) values, \(gradients.count) gradients, \(first.count) and \(second.count)")
    FlatBlock.forChunks(of: values.count, on: compute) { _, range in
      let start = range.lowerBound
      withUnsafePointer(to: step) { step in
        lk_adam(
          step, values.pointer + start, gradients.pointer + start, first.pointer + start,
          second.pointer + start, range.count)
      }
    }
  }
}
