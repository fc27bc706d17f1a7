import Glibc

/// A block of 64-byte aligned floats that is given back to its pool, or freed, with its last owner.
package final class FloatBuffer: @unchecked Sendable {
  /// The number of floats.
  package let count: Int
  /// The first float; for Kernels, Collectives and file readers only.
  package let pointer: UnsafeMutablePointer<Float>
  private let pool: MemoryPool?
  private var isSplit = false
  /// What is to be freed of a block outside any pool.
  private var allocation: UnsafeMutableRawPointer?
  private let owner: (AnyObject & Sendable)?

  /// Allocates `count` floats outside any pool, all zero; large blocks take memory as they are written.
  package convenience init(zeros count: Int) {
    let alignment = 64
    let bytes = max(count, 1) * MemoryLayout<Float>.stride + alignment
    guard let allocation = calloc(bytes, 1) else { OutOfMemory.end(wanting: bytes) }
    let start = allocation.alignedUp(toMultipleOf: alignment)
    self.init(count: count, pointer: start.bindMemory(to: Float.self, capacity: count), pool: nil)
    self.allocation = allocation
  }

  init(count: Int, pointer: UnsafeMutablePointer<Float>, pool: MemoryPool?) {
    self.count = count
    self.pointer = pointer
    self.pool = pool
    owner = nil
  }

  /// Floats that are `owner`'s, such as a mapped file's, and that nobody may write.
  package init(readOnly floats: UnsafeBufferPointer<Float>, owner: AnyObject & Sendable) {
    precondition(!floats.isEmpty, "no floats to read")
    count = floats.count
    pointer = UnsafeMutablePointer(mutating: floats.baseAddress.unsafelyUnwrapped)
    pool = nil
    self.owner = owner
  }

  /// Whether the floats may not be written.
  package var isReadOnly: Bool { owner != nil }

  deinit {
    if isReadOnly || isSplit { return }
    if let pool { pool.give(pointer, count: count) } else { free(allocation) }
  }

  /// The floats below `index`, a multiple of 16, and those from it on, each given back to the pool on its
  /// own; this buffer, which must have one owner, is of no more use.
  func split(at index: Int) -> (FloatBuffer, FloatBuffer) {
    precondition(pool != nil && index % 16 == 0, "a buffer cannot be split at \(index)")
    isSplit = true
    return (
      FloatBuffer(count: index, pointer: pointer, pool: pool),
      FloatBuffer(count: count - index, pointer: pointer + index, pool: pool)
    )
  }

  /// The whole block as a slice.
  package var slice: FloatSlice { FloatSlice(buffer: self, offset: 0, count: count) }
}

/// A run of floats within a shared block: a parameter, its gradient, a bucket.
package struct FloatSlice: Sendable {
  package let buffer: FloatBuffer
  package let offset: Int
  package let count: Int

  /// A run of `count` floats from `offset`; both must lie within `buffer`.
  package init(buffer: FloatBuffer, offset: Int, count: Int) {
    precondition(
      offset >= 0 && count >= 0 && offset + count <= buffer.count,
      "slice \(offset)..<\(offset + count) outside a buffer of \(buffer.count)")
    self.buffer = buffer
    self.offset = offset
    self.count = count
  }

  /// The first float; for Kernels, Collectives and file readers only.
  package var pointer: UnsafeMutablePointer<Float> { buffer.pointer + offset }

  /// The floats of `range`, counted from this slice's start.
  package func slice(_ range: Range<Int>) -> FloatSlice {
    FloatSlice(buffer: buffer, offset: offset + range.lowerBound, count: range.count)
  }

  /// Adds the floats of `other`, which are as many, on the caller's thread.
  package func add(_ other: FloatSlice) {
    precondition(other.count == count, "\(count) floats plus \(other.count)")
    let (sums, addends) = (pointer, other.pointer)
    for index in 0..<count { sums[index] += addends[index] }
  }

  /// Takes over the floats of `other`, which are as many, on the caller's thread.
  package func copy(_ other: FloatSlice) {
    precondition(other.count == count, "\(count) floats from \(other.count)")
    pointer.update(from: other.pointer, count: count)
  }

  /// The floats for reading.
  package var values: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: pointer, count: count)
  }

  /// The floats for writing.
  package var mutableValues: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }
}
