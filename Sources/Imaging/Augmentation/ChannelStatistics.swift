/// The range and mean of a channel's values.
struct ChannelStatistics {
  private(set) var minimum: Float
  private(set) var maximum: Float
  private(set) var mean: Float

  init(_ values: UnsafeMutableBufferPointer<Float>) {
    var low = SIMD8(repeating: values[0])
    var high = low
    mean = Self.mean(of: values) {
      low = VectorMath.minimum(low, $0)
      high = VectorMath.maximum(high, $0)
      return $0
    }
    let rest = values[(values.count & ~7)...]
    minimum = rest.reduce(low.min(), min)
    maximum = rest.reduce(high.max(), max)
  }

  /// The population standard deviation about `mean`; a second pass, so that a mean far from 0
  /// costs no digits.
  static func standardDeviation(
    of values: UnsafeMutableBufferPointer<Float>, mean: Float
  ) -> Float {
    Self.mean(of: values) { ($0 - mean) * ($0 - mean) }.squareRoot()
  }

  /// The mean of `body` of all values: floats are summed over short runs, the runs as doubles.
  @inline(__always)
  private static func mean(
    of values: UnsafeMutableBufferPointer<Float>, _ body: (SIMD8<Float>) -> SIMD8<Float>
  ) -> Float {
    let base = UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped)
    let whole = values.count & ~7
    var total = 0.0
    for start in stride(from: 0, to: whole, by: 4096) {
      var sum = SIMD8<Float>.zero
      var index = start
      while index < min(start + 4096, whole) {
        sum += body(base.loadUnaligned(fromByteOffset: index * 4, as: SIMD8<Float>.self))
        index += 8
      }
      total += Double(sum.sum())
    }
    for index in whole..<values.count {
      total += Double(body(SIMD8(repeating: values[index]))[0])
    }
    return Float(total / Double(values.count))
  }
}
