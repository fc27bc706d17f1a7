import Tensors

/// bfloat16: the upper half of a single-precision float, rounded to nearest, ties to even.
package enum BFloat16 {
  /// The bits of the nearest bfloat16; NaN stays NaN, and what is too large becomes infinite.
  package static func bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16
    return UInt16(truncatingIfNeeded: value.isNaN ? 0x7FC0 : rounded)
  }

  /// The float of a bfloat16.
  package static func float(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) &<< 16) }

  /// What rounding to `bits` took from `value`; 0 where that is not finite, which no later step
  /// could make good.
  static func loss(_ value: Float, _ bits: UInt16) -> Float {
    let loss = value - float(bits)
    return loss.magnitude <= Float.greatestFiniteMagnitude ? loss : 0
  }

  // MARK: - Runs of numbers, in loops without branches that vectorize

  /// Rounds `values` + `remainder`, and keeps in `remainder` what that takes.
  static func round(
    _ values: FloatSlice, plus remainder: FloatSlice, into bits: UnsafeMutablePointer<UInt16>
  ) {
    let (x, left) = (values.pointer, remainder.pointer)
    for index in 0..<values.count {
      let value = x[index] + left[index]
      let rounded = Self.bits(value)
      bits[index] = rounded
      left[index] = loss(value, rounded)
    }
  }

  /// Rounds `values` into the bits from `start`, and adds to `remainder` what that takes.
  static func round(
    _ values: FloatSlice, addingLossTo remainder: FloatSlice,
    into bits: UnsafeMutablePointer<UInt16>, at start: Int
  ) {
    let (x, left, bits) = (values.pointer, remainder.pointer, bits + start)
    for index in 0..<values.count {
      let rounded = Self.bits(x[index])
      bits[index] = rounded
      left[index] += loss(x[index], rounded)
    }
  }

  /// The sums of `rows` runs that follow each other, added in their order.
  static func add(rows: Int, of bits: UnsafePointer<UInt16>, into sums: FloatSlice) {
    let sum = sums.pointer
    widen(bits, into: sums)
    for row in 1..<max(rows, 1) {
      let addend = bits + row * sums.count
      for index in 0..<sums.count { sum[index] += float(addend[index]) }
    }
  }

  /// The floats of `bits`.
  static func widen(_ bits: UnsafePointer<UInt16>, into values: FloatSlice) {
    let x = values.pointer
    for index in 0..<values.count { x[index] = float(bits[index]) }
  }
}
