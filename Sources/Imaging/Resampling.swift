import Tensors

/// Resampling between grids that fill the same space (outer faces aligned).
package enum Resampling {
  /// The sizes of `extent` at another spacing: n' = max(1, round(n s / s')) on each axis.
  ///
  /// `spacing` and `target` are mm along x, y, z.
  package static func extent(
    _ extent: Extent, spacing: [Double], target: [Double]
  ) -> Extent {
    let sizes = zip(extent.xyz, zip(spacing, target)).map { size, step in
      max(1, Int((Double(size) * step.0 / step.1).rounded()))
    }
    return Extent(xyz: sizes)
  }

  /// Linear interpolation of one channel; beyond the outermost voxel centers the edge goes on.
  ///
  /// - Parameter smoothing: whether axes that shrink are first blurred by a Gaussian of
  ///   (n / n' - 1) / 2 voxels, so that what the new grid cannot hold does not alias.
  package static func linear(
    _ values: [Float], from extent: Extent, to target: Extent, smoothing: Bool
  ) -> [Float] {
    linear(
      values, of: 0..<extent.depth, from: extent, to: target, planes: 0..<target.depth,
      smoothing: smoothing)
  }

  /// The planes `wanted` of what `linear` makes of a volume, to the bit, where only its planes `known`
  /// are at hand: `values`.
  package static func linear(
    _ values: [Float], of known: Range<Int>, from extent: Extent, to target: Extent,
    planes wanted: Range<Int>, smoothing: Bool
  ) -> [Float] {
    var (values, sizes) = (values, [extent.width, extent.height, known.count])
    precondition(
      values.count == sizes.reduce(1, *), "\(values.count) values for planes \(known) of \(extent)")
    // The axis that shrinks most goes first: the others then have less to do.
    let ratios = zip(target.xyz, extent.xyz).map { Double($0) / Double($1) }
    for axis in (0..<3).sorted(by: { (ratios[$0], $0) < (ratios[$1], $1) }) {
      guard target.xyz[axis] != extent.xyz[axis] else { continue }
      var taps = AxisTaps(from: extent.xyz[axis], to: target.xyz[axis], smoothing: smoothing)
      if axis == 2 { taps = taps.cut(to: wanted, of: known) }
      let inner = sizes[..<axis].reduce(1, *)
      values = inner == 1 ? taps.alongRows(values) : taps.acrossRows(values, inner: inner)
      sizes[axis] = taps.count
    }
    guard target.depth == extent.depth && known != wanted else { return values }
    let plane = sizes[0] * sizes[1]
    let first = (wanted.lowerBound - known.lowerBound) * plane
    return Array(values[first..<first + wanted.count * plane])
  }

  /// Labels by the arg-max of their linearly interpolated one-hot maps; a tie goes to the smallest.
  package static func labels(
    _ labels: [Int16], from extent: Extent, to target: Extent
  ) -> [Int16] {
    precondition(labels.count == extent.voxels, "\(labels.count) labels for \(extent)")
    guard extent != target else { return labels }
    let axes = zip(extent.xyz, target.xyz).map { LinearPositions(from: $0, to: $1) }
    return [Int16](unsafeUninitializedCapacity: target.voxels) { result, count in
      count = target.voxels
      labels.withUnsafeBufferPointer { labels in
        for row in 0..<target.depth * target.height {
          let (z, y) = (axes[2][row / target.height], axes[1][row % target.height])
          let sides = RowsAround(labels, y: y, z: z, extent)
          for x in 0..<target.width { result[row * target.width + x] = sides.vote(axes[0][x]) }
        }
      }
    }
  }
}

/// The four rows of labels around a new row, and how much each counts.
private struct RowsAround {
  private let labels: UnsafeBufferPointer<Int16>
  private let starts: SIMD4<Int>
  private let shares: SIMD4<Float>

  init(
    _ labels: UnsafeBufferPointer<Int16>, y: LinearPosition, z: LinearPosition, _ extent: Extent
  ) {
    self.labels = labels
    let rows = SIMD4(z.lower, z.lower, z.upper, z.upper) &* extent.height
    starts = (rows &+ SIMD4(y.lower, y.upper, y.lower, y.upper)) &* extent.width
    let (v, w) = (y.fraction, z.fraction)
    shares = SIMD4((1 - v) * (1 - w), v * (1 - w), (1 - v) * w, v * w)
  }

  /// The label with the largest total weight at a position along the rows.
  @inline(__always)
  func vote(_ x: LinearPosition) -> Int16 {
    let corners = SIMD8(lowHalf: labels(at: x.lower), highHalf: labels(at: x.upper))
    return LabelVote.winner(
      corners, SIMD8(lowHalf: shares * (1 - x.fraction), highHalf: shares * x.fraction))
  }

  @inline(__always)
  private func labels(at x: Int) -> SIMD4<Int32> {
    SIMD4<Int32>(
      truncatingIfNeeded: SIMD4<Int16>(
        labels[starts[0] + x], labels[starts[1] + x], labels[starts[2] + x],
        labels[starts[3] + x]))
  }
}

/// Smoothing and interpolation along one axis: each new value is a weighted run of old ones.
///
/// Both are linear and act on each axis alone, so one pass does both exactly.
private struct AxisTaps {
  private let size: Int
  private let first: [Int]
  private let weights: [[Float]]

  init(from size: Int, to target: Int, smoothing: Bool) {
    let ratio = Double(size) / Double(target)
    let kernel = GaussianKernel.weights(sigma: smoothing && ratio > 1 ? (ratio - 1) / 2 : 0)
    let positions = LinearPositions(from: size, to: target)
    let rows = (0..<target).map { index in
      let position = positions[index]
      let fraction = Double(position.fraction)
      return Self.row(
        [(position.lower, 1 - fraction), (position.upper, fraction)], kernel: kernel, size: size)
    }
    self.size = size
    first = rows.map(\.first)
    weights = rows.map(\.weights)
  }

  private init(size: Int, first: [Int], weights: [[Float]]) {
    (self.size, self.first, self.weights) = (size, first, weights)
  }

  /// The number of new values.
  var count: Int { first.count }

  /// The taps of the new values `wanted` where only the old ones in `known` are there.
  func cut(to wanted: Range<Int>, of known: Range<Int>) -> AxisTaps {
    precondition(
      wanted.allSatisfy {
        known.contains(first[$0]) && first[$0] + weights[$0].count <= known.upperBound
      }, "planes \(wanted) are not made of planes \(known)")
    return AxisTaps(
      size: known.count, first: first[wanted].map { $0 - known.lowerBound },
      weights: Array(weights[wanted]))
  }

  private static func row(
    _ points: [(index: Int, weight: Double)], kernel: [Double], size: Int
  ) -> (first: Int, weights: [Float]) {
    let radius = kernel.count / 2
    let first = max(0, points[0].index - radius)
    let last = min(size - 1, points[1].index + radius)
    var weights = [Double](repeating: 0, count: last - first + 1)
    for point in points {
      for (offset, share) in kernel.enumerated() {
        let index = min(max(point.index + offset - radius, first), last)
        weights[index - first] += point.weight * share
      }
    }
    return (first, weights.map(Float.init))
  }

  /// Resamples the axis that is contiguous in memory.
  func alongRows(_ values: [Float]) -> [Float] {
    let rows = values.count / size
    return [Float](unsafeUninitializedCapacity: rows * first.count) { result, count in
      count = rows * first.count
      values.withUnsafeBufferPointer { values in
        for (index, weights) in weights.enumerated() {
          for row in 0..<rows {
            let start = row * size + first[index]
            var sum: Float = 0
            for tap in weights.indices { sum += weights[tap] * values[start + tap] }
            result[row * first.count + index] = sum
          }
        }
      }
    }
  }

  /// Resamples an axis whose steps are `inner` values apart.
  func acrossRows(_ values: [Float], inner: Int) -> [Float] {
    let outer = values.count / (size * inner)
    return [Float](unsafeUninitializedCapacity: outer * first.count * inner) { result, count in
      count = outer * first.count * inner
      values.withUnsafeBufferPointer { values in
        for block in 0..<outer {
          for (index, weights) in weights.enumerated() {
            let target = (block * first.count + index) * inner
            let source = (block * size + first[index]) * inner
            Self.sum(values, source, weights, into: result, target, inner)
          }
        }
      }
    }
  }

  private static func sum(
    _ values: UnsafeBufferPointer<Float>, _ source: Int, _ weights: [Float],
    into result: UnsafeMutableBufferPointer<Float>, _ target: Int, _ count: Int
  ) {
    for index in 0..<count { result[target + index] = weights[0] * values[source + index] }
    for (tap, weight) in weights.enumerated().dropFirst() {
      let start = source + tap * count
      for index in 0..<count { result[target + index] += weight * values[start + index] }
    }
  }
}
