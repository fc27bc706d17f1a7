/// The cyclic redundancy check of event files: CRC-32C (Castagnoli; RFC 3720, appendix B.4).
package enum CRC32C {
  /// The reflected polynomial.
  private static let polynomial: UInt32 = 0x82f6_3b78

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { remainder, _ in
      remainder & 1 == 1 ? remainder >> 1 ^ polynomial : remainder >> 1
    }
  }

  /// The check of `bytes`.
  package static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in
      crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
    }
  }

  /// The check as records hold it: rotated and shifted, so that a check of bytes that hold checks
  /// stays a good one (TensorFlow's `lib/hash/crc32c.h`).
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let crc = of(bytes)
    return (crc >> 15 | crc << 17) &+ 0xa282_ead8
  }
}
