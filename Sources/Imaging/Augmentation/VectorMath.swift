/// Elementary functions on eight values at once, exact to about 1e-7 of their result.
///
/// Polynomials after Cephes (Moshier 1992). The compiler has no vector versions, and one value at
/// a time these would be most of an augmented patch's time.
enum VectorMath {
  typealias Values = SIMD8<Float>
  private typealias Bits = SIMD8<Int32>

  // Adding 1.5 * 2^23 to a small float rounds it and leaves the integer in the low bits.
  private static let rounder: Float = 12_582_912
  private static let rounderBits: Int32 = 0x4B40_0000

  /// The binary logarithm of normal positive values.
  @inline(__always)
  static func log2(_ x: Values) -> Values {
    let bits = unsafeBitCast(x, to: Bits.self)
    // The mantissa is brought to sqrt(1/2)..<sqrt(2), where the polynomial is good.
    let exponent = (bits &- 0x3F35_04F3) &>> 23
    let f = unsafeBitCast(bits &- exponent &<< 23, to: Values.self) - 1
    var p = f * 7.0376836292e-2 - 1.1514610310e-1
    p = p * f + 1.1676998740e-1
    p = p * f - 1.2420140846e-1
    p = p * f + 1.4249322787e-1
    p = p * f - 1.6668057665e-1
    p = p * f + 2.0000714765e-1
    p = p * f - 2.4999993993e-1
    p = p * f + 3.3333331174e-1
    let square = f * f
    let logarithm = f - square * 0.5 + square * f * p
    let whole = unsafeBitCast(exponent &+ rounderBits, to: Values.self) - rounder
    return whole + logarithm * 1.44269504
  }

  /// Two to the power of `x`, which is clamped to -126...126.
  @inline(__always)
  static func exp2(_ x: Values) -> Values {
    let x = minimum(maximum(x, Values(repeating: -126)), Values(repeating: 126))
    let rounded = x + rounder
    let f = x - (rounded - rounder)
    var p = f * 1.535336188319500e-4 + 1.339887440266574e-3
    p = p * f + 9.618437357674640e-3
    p = p * f + 5.550332471162809e-2
    p = p * f + 2.402264791363012e-1
    p = p * f + 6.931472028550421e-1
    let exponent = unsafeBitCast(rounded, to: Bits.self) &- (rounderBits - 127)
    return (p * f + 1) * unsafeBitCast(exponent &<< 23, to: Values.self)
  }

  /// The larger value of each lane; the library's `pointwiseMax` goes lane by lane.
  @inline(__always)
  static func maximum(_ a: Values, _ b: Values) -> Values { a.replacing(with: b, where: a .< b) }

  /// The smaller value of each lane.
  @inline(__always)
  static func minimum(_ a: Values, _ b: Values) -> Values { a.replacing(with: b, where: b .< a) }

  /// The root of positive values: Newton's steps from a guess by the exponent, as the library's
  /// goes lane by lane.
  @inline(__always)
  static func squareRoot(_ x: Values) -> Values {
    let guess = Bits(repeating: 0x5F37_5A86) &- unsafeBitCast(x, to: Bits.self) &>> 1
    var inverse = unsafeBitCast(guess, to: Values.self)
    let half = x * 0.5
    for _ in 0..<3 { inverse = inverse * (1.5 - half * inverse * inverse) }
    return x * inverse
  }

  /// Sine and cosine of an angle within -pi/4...pi/4.
  @inline(__always)
  static func sineAndCosine(_ angle: Values) -> (sine: Values, cosine: Values) {
    let square = angle * angle
    var s = square * -1.9515295891e-4 + 8.3321608736e-3
    s = s * square - 1.6666654611e-1
    var c = square * 2.443315711809948e-5 - 1.388731625493765e-3
    c = c * square + 4.166664568298827e-2
    return (angle + angle * square * s, 1 - square * 0.5 + square * square * c)
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Replaces every value by `body` of it, eight at a time; the last call may have idle lanes.
  @inline(__always)
  func transform(_ body: (SIMD8<Float>) -> SIMD8<Float>) {
    guard let base = baseAddress else { return }
    let whole = count & ~7
    var index = 0
    while index < whole {
      let raw = UnsafeMutableRawPointer(base + index)
      raw.storeBytes(of: body(raw.loadUnaligned(as: SIMD8<Float>.self)), as: SIMD8<Float>.self)
      index += 8
    }
    guard whole < count else { return }
    var rest = SIMD8<Float>(repeating: self[whole])
    for lane in 0..<count - whole { rest[lane] = self[whole + lane] }
    rest = body(rest)
    for lane in 0..<count - whole { self[whole + lane] = rest[lane] }
  }
}
