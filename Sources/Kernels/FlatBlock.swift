import Foundation
import Tensors

/// Operations on a flat run of floats, in chunks of fixed size so that threads do not matter.
package enum FlatBlock {
  /// Floats a work item handles; 256 KiB, so that it stays in a core's L2. Initial weights and the
  /// last bit of norms depend on it.
  static let chunk = 1 << 16

  /// Sets every float to `value`.
  package static func fill(_ slice: FloatSlice, with value: Float, on compute: Compute) {
    forChunks(of: slice.count, on: compute) { _, range in
      slice.slice(range).mutableValues.update(repeating: value)
    }
  }

  /// Multiplies every float by `factor`.
  package static func scale(_ slice: FloatSlice, by factor: Float, on compute: Compute) {
    forChunks(of: slice.count, on: compute) { _, range in
      let values = slice.pointer
      for index in range { values[index] *= factor }
    }
  }

  /// The sum of squares, in double precision.
  package static func squaredNorm(_ slice: FloatSlice, on compute: Compute) -> Double {
    let count = chunks(slice.count)
    let partial = DoubleScratch(count: count, on: compute)
    forChunks(of: slice.count, on: compute) { index, range in
      partial.pointer[index] = sumOfSquares(slice.slice(range))
    }
    return (0..<count).reduce(0) { $0 + partial[$1] }
  }

  // Eight independent sums, because one alone waits for each addition.
  private static func sumOfSquares(_ slice: FloatSlice) -> Double {
    let values = slice.pointer
    var sums = SIMD8<Double>.zero
    let whole = slice.count & ~7
    for index in stride(from: 0, to: whole, by: 8) {
      let eight = UnsafeRawPointer(values + index).loadUnaligned(as: SIMD8<Float>.self)
      let wide = SIMD8<Double>(eight)
      sums += wide * wide
    }
    var sum = sums.sum()
    for index in whole..<slice.count { sum += Double(values[index]) * Double(values[index]) }
    return sum
  }

  /// Draws from a normal distribution of mean 0: chunk i of stream (seed, name) is its sub-stream i.
  package static func fillNormal(
    _ slice: FloatSlice, deviation: Float, seed: UInt64, name: String, on compute: Compute
  ) {
    forChunks(of: slice.count, on: compute) { index, range in
      var stream = RandomStream(seed: seed, purpose: name, patch: index)
      fillNormal(slice.slice(range), deviation: deviation, from: &stream)
    }
  }

  // Box-Muller in single precision with both halves of each pair, from one draw of 64 bits:
  // 100 M values must not delay the start of a run.
  private static func fillNormal(
    _ slice: FloatSlice, deviation: Float, from stream: inout RandomStream
  ) {
    let (values, count) = (slice.pointer, slice.count)
    for index in stride(from: 0, to: count, by: 2) {
      let bits = stream.next()
      // In (0, 1], so that the logarithm is finite.
      let radius = deviation * (-2 * log(Float((bits >> 32) + 1) * 0x1p-32)).squareRoot()
      let angle = Float(bits & 0xFFFF_FFFF) * (2 * .pi * 0x1p-32)
      values[index] = radius * cos(angle)
      if index + 1 < count { values[index + 1] = radius * sin(angle) }
    }
  }

  static func chunks(_ count: Int) -> Int { (count + chunk - 1) / chunk }

  /// Calls `body(chunk, range)` for each chunk of 0..<count, on all threads.
  static func forChunks(
    of count: Int, on compute: Compute, _ body: (_ index: Int, _ range: Range<Int>) -> Void
  ) {
    compute.team.forChunks(of: count, length: chunk, body)
  }
}
