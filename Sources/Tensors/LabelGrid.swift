/// Label values on a voxel grid, `[D][H][W]`, that are never changed: in memory of their own or in a
/// mapped file.
package struct LabelGrid: Sendable {
  private let memory: Memory

  /// A grid of the given values.
  package init(_ labels: [Int16]) {
    let copy = UnsafeMutableBufferPointer<Int16>.allocate(capacity: labels.count)
    _ = copy.initialize(from: labels)
    memory = Memory(UnsafeBufferPointer(copy), owner: nil)
  }

  /// A grid of values that are `owner`'s and that nobody changes while it lives.
  package init(_ labels: UnsafeBufferPointer<Int16>, owner: AnyObject & Sendable) {
    memory = Memory(labels, owner: owner)
  }

  /// All values for reading; valid while the grid lives, so never take them of a temporary.
  package var values: UnsafeBufferPointer<Int16> { memory.values }

  private final class Memory: @unchecked Sendable {
    let values: UnsafeBufferPointer<Int16>
    private let owner: (AnyObject & Sendable)?

    init(_ values: UnsafeBufferPointer<Int16>, owner: (AnyObject & Sendable)?) {
      (self.values, self.owner) = (values, owner)
    }

    deinit { if owner == nil { values.deallocate() } }
  }
}

extension LabelGrid: RandomAccessCollection {
  package var startIndex: Int { 0 }
  package var endIndex: Int { memory.values.count }
  package subscript(index: Int) -> Int16 { memory.values[index] }
}
