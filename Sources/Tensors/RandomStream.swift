import Foundation

/// A reproducible stream of random numbers that is a pure function of its key.
///
/// SplitMix64 (Steele, Lea, Flood 2014) is counter-based: draw i is a mix of `key + i * gamma`, so
/// a stream needs no history and never depends on rank or thread.
package struct RandomStream: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The stream of (seed, purpose, epoch, patch); parameters use their name as purpose.
  package init(seed: UInt64, purpose: String, epoch: Int = 0, patch: Int = 0) {
    var key = Self.mix(seed)
    for byte in purpose.utf8 { key = Self.mix(key ^ UInt64(byte) &+ Self.gamma) }
    key = Self.mix(key ^ UInt64(bitPattern: Int64(epoch)) &+ Self.gamma)
    state = Self.mix(key ^ UInt64(bitPattern: Int64(patch)) &+ Self.gamma)
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= Self.gamma
    return Self.mix(state)
  }

  /// A number in [0, 1) with 53 random bits.
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// An integer in 0..<bound; `bound` is positive.
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "no integer below \(bound)")
    return Int(next(upperBound: UInt64(bound)))
  }

  /// A draw of the standard normal distribution (Box-Muller).
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A random permutation of 0..<count.
  package mutating func permutation(_ count: Int) -> [Int] {
    (0..<count).shuffled(using: &self)
  }

  private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// A permutation of the 64-bit numbers whose every output bit depends on every input bit.
  package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
