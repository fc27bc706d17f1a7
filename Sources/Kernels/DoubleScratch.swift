import Tensors

/// Doubles of the pool for partial sums, all zero at first.
struct DoubleScratch {
  private let buffer: FloatBuffer
  let pointer: UnsafeMutablePointer<Double>

  init(count: Int, on compute: Compute) {
    buffer = compute.pool.take(2 * count)
    pointer = UnsafeMutableRawPointer(buffer.pointer).assumingMemoryBound(to: Double.self)
    pointer.update(repeating: 0, count: count)
  }

  subscript(index: Int) -> Double { pointer[index] }
}
