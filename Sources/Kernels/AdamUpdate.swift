import Foundation
import Tensors

/// One step of Adam over a flat block (Kingma and Ba 2015, Algorithm 1), as torch.optim.Adam does it.
package struct AdamUpdate: Sendable {
  private let beta1: Float
  private let beta2: Float
  // From the doubles: 1 - 0.999 in single precision is off by 1.3e-5.
  private let complement1: Float
  private let complement2: Float
  private let epsilon: Float
  private let weightDecay: Float
  private let stepSize: Float
  private let secondScale: Float

  /// The update of step `step`, counted from 1. `epsilon` is added to the root of the corrected
  /// second moment; `weightDecay` times the value is added to the gradient (not AdamW's decay).
  package init(
    step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
    weightDecay: Double
  ) {
    precondition(step >= 1, "Adam's steps are counted from 1, not \(step)")
    self.beta1 = Float(beta1)
    self.beta2 = Float(beta2)
    complement1 = Float(1 - beta1)
    complement2 = Float(1 - beta2)
    self.epsilon = Float(epsilon)
    self.weightDecay = Float(weightDecay)
    stepSize = Float(learningRate / (1 - pow(beta1, Double(step))))
    secondScale = Float(1 / (1 - pow(beta2, Double(step))).squareRoot())
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
      update(
        values.slice(range), gradients.slice(range), first.slice(range), second.slice(range))
    }
  }

  private func update(
    _ values: FloatSlice, _ gradients: FloatSlice, _ first: FloatSlice, _ second: FloatSlice
  ) {
    let whole = values.count & ~15
    for index in stride(from: 0, to: whole, by: 16) {
      // Slices begin anywhere in the block, so vectors are loaded unaligned.
      let (p, g) = (load(values, index), load(gradients, index))
      let (value, m, v) = moved(p, g, load(first, index), load(second, index))
      store(value, values, index)
      store(m, first, index)
      store(v, second, index)
    }
    for i in whole..<values.count {
      let (value, m, v) = moved(
        SIMD16(repeating: values.pointer[i]), SIMD16(repeating: gradients.pointer[i]),
        SIMD16(repeating: first.pointer[i]), SIMD16(repeating: second.pointer[i]))
      values.pointer[i] = value[0]
      first.pointer[i] = m[0]
      second.pointer[i] = v[0]
    }
  }

  @inline(__always) private func moved(
    _ value: SIMD16<Float>, _ gradient: SIMD16<Float>, _ first: SIMD16<Float>,
    _ second: SIMD16<Float>
  ) -> (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>) {
    let g = gradient + weightDecay * value
    let m = beta1 * first + complement1 * g
    let v = beta2 * second + complement2 * g * g
    return (value - stepSize * m / (v.squareRoot() * secondScale + epsilon), m, v)
  }

  @inline(__always) private func load(_ slice: FloatSlice, _ index: Int) -> SIMD16<Float> {
    UnsafeRawPointer(slice.pointer + index).loadUnaligned(as: SIMD16<Float>.self)
  }

  @inline(__always) private func store(_ value: SIMD16<Float>, _ slice: FloatSlice, _ index: Int) {
    UnsafeMutableRawPointer(slice.pointer + index).storeBytes(of: value, as: SIMD16<Float>.self)
  }
}
