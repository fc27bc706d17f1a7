import Foundation
import Synchronization

/// Memory for maps and workspaces: one run of addresses, of which only what was once in use is backed
/// by memory.
///
/// A block goes to the smallest gap that holds it, and what is given back joins the gaps beside it, so
/// that steps of one size take the same addresses again and nothing is held for a size not in use.
package final class MemoryPool: Sendable {
  fileprivate struct State {
    /// The gaps below `top` by address, none touching another.
    var gaps: [Range<Int>] = []
    /// Floats that were ever in use.
    var top = 0
    /// Floats from the start that may be written.
    var writable = 0
    var growths = 0
  }
  private let state = Mutex(State())
  // Never written after init; the floats themselves are their takers'.
  private let base: FloatAddress
  private let capacity: Int
  /// Blocks are multiples of 64 bytes, so that each begins on a cache line.
  private static let granule = 16

  private struct FloatAddress: @unchecked Sendable { let pointer: UnsafeMutablePointer<Float> }

  /// A pool as large as the machine's memory, or as the system allows to reserve.
  package convenience init() { self.init(bytes: Int(ProcessInfo.processInfo.physicalMemory)) }

  /// A pool of so many addresses, or as many as the system allows to reserve.
  init(bytes: Int) {
    var bytes = bytes
    while true {
      let memory = mmap(
        nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      if let memory, memory != MAP_FAILED {
        capacity = bytes / MemoryLayout<Float>.stride
        base = FloatAddress(pointer: memory.bindMemory(to: Float.self, capacity: capacity))
        return
      }
      guard bytes > 1 << 20 else { OutOfMemory.end(wanting: bytes) }
      bytes /= 2
    }
  }

  deinit { munmap(base.pointer, capacity * MemoryLayout<Float>.stride) }

  /// How often more memory was needed than ever before.
  package var growths: Int { state.withLock { $0.growths } }

  /// The floats that were ever in use, with the gaps between them.
  package var peak: Int { state.withLock { $0.top } }

  /// A block of `count` floats with undefined contents.
  package func take(_ count: Int) -> FloatBuffer {
    let size = Self.rounded(count)
    let start = state.withLock { state -> Int? in
      let start = state.fill(size) ?? state.grow(by: size)
      return makeWritable(&state) ? start : nil
    }
    guard let start else { OutOfMemory.end(wanting: size * MemoryLayout<Float>.stride) }
    return FloatBuffer(count: count, pointer: base.pointer + start, pool: self)
  }

  /// Asks the system for the memory up to `top`; false where it gives no more.
  ///
  /// Addresses alone count towards no limit but that of addresses; memory is asked for as it is
  /// needed, so that limits and other ranks' needs show here and not as a crash.
  private func makeWritable(_ state: inout State) -> Bool {
    guard state.top > state.writable else { return true }
    // Our choice: 32 MiB at a time, far more than a huge page.
    let piece = (32 << 20) / MemoryLayout<Float>.stride
    let end = min(capacity, (state.top + piece - 1) / piece * piece)
    guard state.top <= capacity,
      mprotect(
        base.pointer + state.writable, (end - state.writable) * MemoryLayout<Float>.stride,
        PROT_READ | PROT_WRITE) == 0
    else { return false }
    state.writable = end
    return true
  }

  /// Whether the float at `pointer` is this pool's.
  package func owns(_ pointer: UnsafePointer<Float>) -> Bool {
    let address = UnsafePointer(base.pointer)
    return pointer >= address && pointer < address + capacity
  }

  /// Takes back the block at `pointer`.
  func give(_ pointer: UnsafeMutablePointer<Float>, count: Int) {
    let start = pointer - base.pointer
    state.withLock { $0.open(start..<start + Self.rounded(count)) }
  }

  private static func rounded(_ count: Int) -> Int {
    (max(count, 1) + granule - 1) / granule * granule
  }
}

extension MemoryPool.State {
  /// The start of the smallest gap of at least `size` floats, which shrinks by them.
  fileprivate mutating func fill(_ size: Int) -> Int? {
    let fitting = gaps.indices.filter { gaps[$0].count >= size }
    guard let index = fitting.min(by: { gaps[$0].count < gaps[$1].count }) else { return nil }
    let gap = gaps[index]
    if gap.count == size {
      gaps.remove(at: index)
    } else {
      gaps[index] = gap.lowerBound + size..<gap.upperBound
    }
    return gap.lowerBound
  }

  /// Raises the top, from the start of the gap below it if there is one.
  fileprivate mutating func grow(by size: Int) -> Int {
    growths += 1
    let start = gaps.last?.upperBound == top ? gaps.removeLast().lowerBound : top
    top = start + size
    return start
  }

  /// Makes `range` a gap, one with those it touches.
  fileprivate mutating func open(_ range: Range<Int>) {
    let next = gaps.firstIndex { $0.lowerBound >= range.upperBound } ?? gaps.endIndex
    var (lower, upper) = (range.lowerBound, range.upperBound)
    var merged = next..<next
    if next < gaps.endIndex, gaps[next].lowerBound == upper {
      upper = gaps[next].upperBound
      merged = next..<next + 1
    }
    if next > 0, gaps[next - 1].upperBound == lower {
      lower = gaps[next - 1].lowerBound
      merged = next - 1..<merged.upperBound
    }
    gaps.replaceSubrange(merged, with: [lower..<upper])
  }
}
