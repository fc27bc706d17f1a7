import Foundation
import Tensors

/// Operations on a flat run of floats, in chunks of fixed size so that threads do not matter.
package enum FlatBlock {
  /// Floats a work item handles; 256 KiB, so that it stays in a core's L2. Initial weights depend on
  /// it.
  static let chunk = 1 << 16

  /// Sets every float to `value`.
  package static func fill(_ slice: FloatSlice, with value: Float, on compute: Compute) {
    forChunks(of: slice.count, on: compute) { _, range in
      slice.slice(range).mutableValues.update(repeating: value)
    }
  }

  /// Multiplies every float by `factor`.
  package static func scale(_ slice: FloatSlice, by factor: Float, on compute: Compute) {
    forChunks(of: slice.count, on: compute) { _, range in
      let values = slice.pointer
      for index in range { values[index] *= factor }
    }
  }

  /// Adds the floats of `other`, which are as many, to those of `slice`.
  package static func add(_ other: FloatSlice, to slice: FloatSlice, on compute: Compute) {
    forChunks(of: slice.count, on: compute) { _, range in
      slice.slice(range).add(other.slice(range))
    }
  }

  /// Copies the floats of `other`, which are as many, to `slice`.
  package static func copy(_ other: FloatSlice, to slice: FloatSlice, on compute: Compute) {
    forChunks(of: slice.count, on: compute) { _, range in
      slice.slice(range).copy(other.slice(range))
    }
  }

  // MARK: - Norm

  /// Floats whose squares are summed first, so that ranks can share a norm without changing its bits:
  /// small, so that many ranks have their own of a bucket of a few MiB.
  package static let run = 1 << 12

  /// The number of runs of a block of `count` floats.
  package static func runs(_ count: Int) -> Int { (count + run - 1) / run }

  /// The sum of squares, in double precision.
  package static func squaredNorm(_ slice: FloatSlice, on compute: Compute) -> Double {
    let sums = DoubleScratch(count: runs(slice.count), on: compute)
    sumSquares(slice, in: 0..<slice.count, into: sums.pointer, on: compute)
    return (0..<runs(slice.count)).reduce(0) { $0 + sums[$1] }
  }

  /// Sets, of `sums` of all runs, those of the runs that begin in `range`.
  ///
  /// `range` begins with a run and ends with one or with the block.
  package static func sumSquares(
    _ slice: FloatSlice, in range: Range<Int>, into sums: inout [Double], on compute: Compute
  ) {
    precondition(
      sums.count == runs(slice.count) && range.lowerBound % run == 0,
      "\(sums.count) sums for a block of \(slice.count) floats, from \(range.lowerBound)")
    sums.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      sumSquares(slice, in: range, into: sums, on: compute)
    }
  }

  private static func sumSquares(
    _ slice: FloatSlice, in range: Range<Int>, into sums: UnsafeMutablePointer<Double>,
    on compute: Compute
  ) {
    forChunks(of: range.count, on: compute) { _, chunk in
      let end = range.lowerBound + chunk.upperBound
      for start in stride(from: range.lowerBound + chunk.lowerBound, to: end, by: run) {
        sums[start / run] = sumOfSquares(slice.slice(start..<min(start + run, end)))
      }
    }
  }

  // Eight independent sums, because one alone waits for each addition.
  private static func sumOfSquares(_ slice: FloatSlice) -> Double {
    let values = slice.pointer
    var sums = SIMD8<Double>.zero
    let whole = slice.count & ~7
    for index in stride(from: 0, to: whole, by: 8) {
      let eight = UnsafeRawPointer(values + index).loadUnaligned(as: SIMD8<Float>.self)
      let wide = SIMD8<Double>(eight)
      sums += wide * wide
    }
    var sum = sums.sum()
    for index in whole..<slice.count { sum += Double(values[index]) * Double(values[index]) }
    return sum
  }

  /// Draws from a normal distribution of mean 0: chunk i of stream (seed, name) is its sub-stream i.
  package static func fillNormal(
    _ slice: FloatSlice, deviation: Float, seed: UInt64, name: String, on compute: Compute
  ) {
    forChunks(of: slice.count, on: compute) { index, range in
      var stream = RandomStream(seed: seed, purpose: name, patch: index)
      fillNormal(slice.slice(range), deviation: deviation, from: &stream)
    }
  }

  // Box-Muller in single precision with both halves of each pair, from one draw of 64 bits:
  // 100 M values must not delay the start of a run.
  private static func fillNormal(
    _ slice: FloatSlice, deviation: Float, from stream: inout RandomStream
  ) {
    let (values, count) = (slice.pointer, slice.count)
    for index in stride(from: 0, to: count, by: 2) {
      let bits = stream.next()
      // In (0, 1], so that the logarithm is finite.
      let radius = deviation * (-2 * log(Float((bits >> 32) + 1) * 0x1p-32)).squareRoot()
      let angle = Float(bits & 0xFFFF_FFFF) * (2 * .pi * 0x1p-32)
      values[index] = radius * cos(angle)
      if index + 1 < count { values[index + 1] = radius * sin(angle) }
    }
  }

  /// Calls `body(chunk, range)` for each chunk of 0..<count, on all threads.
  static func forChunks(
    of count: Int, on compute: Compute, _ body: (_ index: Int, _ range: Range<Int>) -> Void
  ) {
    compute.team.forChunks(of: count, length: chunk, body)
  }
}
