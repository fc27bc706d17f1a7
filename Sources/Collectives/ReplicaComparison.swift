import Tensors

/// Ranks whose tensors differ from the others', bit for bit.
package struct ReplicaMismatch: Equatable, Sendable {
  /// A rank that holds other values than the reference.
  package struct OddRank: Equatable, Sendable {
    package let rank: Int
    /// The first tensor, in the order they were given, that differs from the reference's.
    package let tensor: Int

    package init(rank: Int, tensor: Int) {
      self.rank = rank
      self.tensor = tensor
    }
  }

  /// The ranks that differ, ascending.
  package let oddRanks: [OddRank]
  /// The lowest rank of the largest group that agrees; of equally large ones that of rank 0.
  package let reference: Int
  /// Whether more than half of the ranks agree, so that the odd ones are known to be wrong.
  package let isMajority: Bool

  /// Compares the hashes of every rank's tensors, `hashes[rank][tensor]`; nil if all are equal.
  package init?(_ hashes: [[Int]]) {
    let groups = Dictionary(grouping: hashes.indices) { hashes[$0] }.values
    let sizes = groups.sorted { ($0.count, -$0[0]) > ($1.count, -$1[0]) }
    guard let largest = sizes.first, largest.count < hashes.count else { return nil }
    let reference = largest[0]
    self.reference = reference
    isMajority = 2 * largest.count > hashes.count
    oddRanks = hashes.indices.compactMap { rank in
      zip(hashes[rank], hashes[reference]).enumerated().first { $1.0 != $1.1 }
        .map { OddRank(rank: rank, tensor: $0.offset) }
    }
  }
}

extension Communicator {
  /// Compares the tensors of all ranks by their hashes; nil, on every rank, if they are equal.
  ///
  /// One allreduce of a number per rank; the hashes of single tensors follow only on a difference.
  /// Collective: every rank brings tensors of the same sizes in the same order.
  package func findMismatch(
    of tensors: [FloatSlice]
  ) throws(CommunicationError) -> ReplicaMismatch? {
    guard size > 1 else { return nil }
    let own = tensors.map { Int(bitPattern: UInt($0.hash)) }
    let whole = own.reduce(into: FloatHash()) { $0.add(UInt64(bitPattern: Int64($1))) }
    let wholes = try shareOfEach([Int(bitPattern: UInt(whole.value))])
    guard Set(wholes).count > 1 else { return nil }
    return ReplicaMismatch(try shareOfEach(own))
  }

  /// The numbers of every rank, which must be as many, on every rank.
  private func shareOfEach(_ own: [Int]) throws(CommunicationError) -> [[Int]] {
    var all = [Int](repeating: 0, count: size * own.count)
    all.replaceSubrange(rank * own.count..<(rank + 1) * own.count, with: own)
    try allreduceSum(&all)
    return (0..<size).map { Array(all[$0 * own.count..<($0 + 1) * own.count]) }
  }
}

extension FloatSlice {
  /// A hash of the floats' bits. Any change of a single float changes it for certain.
  package var hash: UInt64 {
    // 32 bytes at a time. Each step of a lane is one-to-one, so a difference is never lost again;
    // the shift carries high bits down, without it two flipped signs in a lane would cancel.
    var lanes = SIMD8<UInt32>(repeating: 0x811C_9DC5)
    let (values, whole) = (UnsafeRawPointer(pointer), count & ~7)
    for index in stride(from: 0, to: whole, by: 8) {
      let eight = values.loadUnaligned(fromByteOffset: 4 * index, as: SIMD8<UInt32>.self)
      lanes = (lanes ^ eight) &* SIMD8(repeating: 0x9E37_79B1)
      lanes ^= lanes &>> SIMD8(repeating: 15)
    }
    var hash = FloatHash()
    for lane in lanes.indices { hash.add(UInt64(lanes[lane])) }
    for index in whole..<count { hash.add(UInt64(self.values[index].bitPattern)) }
    return hash.value
  }
}

/// A hash in the making; each step is one-to-one.
private struct FloatHash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 29
  }
}
