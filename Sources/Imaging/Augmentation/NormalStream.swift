import Tensors

/// Eight standard normal draws at a time, for noise on millions of voxels.
///
/// Eight generators xoshiro128+ (Blackman, Vigna 2018) in lanes, seeded by a `RandomStream`, and
/// the transform of Box and Muller.
struct NormalStream {
  private var state: (SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>)
  private var second = SIMD8<Float>.zero
  private var hasSecond = false

  init(_ stream: inout RandomStream) {
    func word() -> SIMD8<UInt32> {
      var word = SIMD8<UInt32>.zero
      for lane in 0..<8 { word[lane] = UInt32(truncatingIfNeeded: stream.next() >> 32) }
      return word
    }
    state = (word(), word(), word(), word())
  }

  /// The next eight draws.
  @inline(__always)
  mutating func next() -> SIMD8<Float> {
    if hasSecond {
      hasSecond = false
      return second
    }
    // Uniform in (0, 1), never 0.
    let uniform = Self.fraction(bits()) + 0x1p-25
    let radius = VectorMath.squareRoot(VectorMath.log2(uniform) * -0.69314718)
    let random = bits()
    let angle = (Self.fraction(random &<< 2) - 0.5) * (Float.pi / 2)
    let (sine, cosine) = VectorMath.sineAndCosine(angle)
    // The angle plus pi/4 lies in the first quadrant; two random signs give the others.
    let sign = SIMD8<UInt32>(repeating: 0x8000_0000)
    second = Self.xor(radius * (cosine + sine), random &<< 1 & sign)
    hasSecond = true
    return Self.xor(radius * (cosine - sine), random & sign)
  }

  @inline(__always)
  private mutating func bits() -> SIMD8<UInt32> {
    let result = state.0 &+ state.3
    let t = state.1 &<< 9
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= t
    state.3 = state.3 &<< 11 | state.3 &>> 21
    return result
  }

  /// The upper 23 bits as a fraction in [0, 1).
  @inline(__always)
  private static func fraction(_ bits: SIMD8<UInt32>) -> SIMD8<Float> {
    unsafeBitCast(bits &>> 9 | 0x3F80_0000, to: SIMD8<Float>.self) - 1
  }

  @inline(__always)
  private static func xor(_ values: SIMD8<Float>, _ signs: SIMD8<UInt32>) -> SIMD8<Float> {
    unsafeBitCast(unsafeBitCast(values, to: SIMD8<UInt32>.self) ^ signs, to: SIMD8<Float>.self)
  }
}
