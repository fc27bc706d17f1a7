import Collectives
import Testing

@Suite struct BFloat16Tests {
  /// Floats and their bfloat16 as ml_dtypes 0.6 rounds them: ties, carries into the exponent,
  /// overflow, infinities, denormals, zeros, signs.
  static let rounded: [(UInt32, UInt16)] = [
    (0x3F80_0000, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0x3F80_8001, 0x3F81),
    (0x3F80_7FFF, 0x3F80), (0xBF81_8000, 0xBF82), (0x7F7F_FFFF, 0x7F80), (0x7F7F_7FFF, 0x7F7F),
    (0x7F7F_8000, 0x7F80), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x0000_0001, 0x0000),
    (0x0000_8000, 0x0000), (0x0001_8000, 0x0002), (0x007F_FFFF, 0x0080), (0x8000_0000, 0x8000),
    (0x42F6_E979, 0x42F7), (0xC049_0FDB, 0xC049),
  ]

  @Test(arguments: rounded) func `a float rounds as ml_dtypes rounds it`(
    float: UInt32, expected: UInt16
  ) {
    #expect(BFloat16.bits(Float(bitPattern: float)) == expected)
  }

  @Test(arguments: [0x7F80_0001, 0x7FFF_FFFF, 0xFFC0_0000] as [UInt32])
  func `NaN stays NaN`(float: UInt32) {
    #expect(BFloat16.float(BFloat16.bits(Float(bitPattern: float))).isNaN)
  }

  @Test func `every bfloat16 keeps its bits on the way to a float and back`() {
    for bits in UInt16.min...UInt16.max where !BFloat16.float(bits).isNaN {
      #expect(BFloat16.bits(BFloat16.float(bits)) == bits)
    }
  }
}
