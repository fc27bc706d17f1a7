import Collectives
import Tensors
import Testing

struct ReplicaComparisonTests {
  @Test func `equal replicas have no mismatch`() {
    #expect(ReplicaMismatch([[1, 2, 3], [1, 2, 3], [1, 2, 3]]) == nil)
    #expect(ReplicaMismatch([[4]]) == nil)
  }

  @Test func `the odd rank and its first differing tensor are found`() throws {
    let mismatch = try #require(ReplicaMismatch([[1, 9, 9], [1, 2, 3], [1, 2, 3]]))
    #expect(mismatch.oddRanks == [.init(rank: 0, tensor: 1)])
    #expect(mismatch.reference == 1)
    #expect(mismatch.isMajority)
  }

  @Test func `several odd ranks are told apart`() throws {
    let mismatch = try #require(
      ReplicaMismatch([[1, 2], [1, 7], [1, 2], [8, 2], [1, 2]]))
    #expect(mismatch.oddRanks == [.init(rank: 1, tensor: 1), .init(rank: 3, tensor: 0)])
    #expect(mismatch.reference == 0)
    #expect(mismatch.isMajority)
  }

  @Test func `without a majority the root is believed, and that is told`() throws {
    let two = try #require(ReplicaMismatch([[1], [2]]))
    #expect(two.oddRanks == [.init(rank: 1, tensor: 0)])
    #expect(two.reference == 0)
    #expect(!two.isMajority)
    let four = try #require(ReplicaMismatch([[2], [1], [1], [2]]))
    #expect(four.reference == 0 && !four.isMajority)
    let pair = try #require(ReplicaMismatch([[3], [1], [1], [2]]))
    #expect(pair.reference == 1 && !pair.isMajority)
  }

  @Test func `any flipped bit of any float changes the hash`() {
    // Odd offset and length: neither aligned nor a multiple of the hash's lanes.
    let buffer = FloatBuffer(zeros: 40)
    for index in 0..<40 { buffer.pointer[index] = Float(index) * 0.37 - 5 }
    let slice = buffer.slice.slice(3..<38)
    let before = slice.hash
    for index in slice.values.indices {
      for bit in 0..<32 {
        let value = slice.values[index]
        slice.mutableValues[index] = Float(bitPattern: value.bitPattern ^ 1 << UInt32(bit))
        #expect(slice.hash != before, "bit \(bit) of float \(index)")
        slice.mutableValues[index] = value
      }
    }
    #expect(slice.hash == before)
  }

  @Test func `two flipped signs do not cancel, and swapped floats are seen`() {
    let buffer = FloatBuffer(zeros: 64)
    for index in 0..<64 { buffer.pointer[index] = Float(index + 1) }
    let before = buffer.slice.hash
    for distance in [1, 8, 16] {
      for index in [0, distance] { buffer.pointer[index].negate() }
      #expect(buffer.slice.hash != before)
      for index in [0, distance] { buffer.pointer[index].negate() }
      buffer.slice.mutableValues.swapAt(0, distance)
      #expect(buffer.slice.hash != before)
      buffer.slice.mutableValues.swapAt(0, distance)
    }
    #expect(FloatBuffer(zeros: 8).slice.hash != FloatBuffer(zeros: 9).slice.hash)
  }
}
