import Tensors

/// The exact Euclidean distance to a set of voxels in linear time, one axis after the other:
/// Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions", 2012.
package enum DistanceTransform {
  /// The squared distance in mm^2 from each voxel center to the nearest voxel of `sources`;
  /// infinite everywhere if there is none. `spacing` is x, y, z in mm.
  package static func squaredDistances(to sources: Mask, spacing: [Double]) -> [Double] {
    precondition(
      spacing.count == 3 && spacing.allSatisfy { $0 > 0 }, "spacing \(spacing) is not positive")
    let extent = sources.extent
    var values = alongRows(sources, spacing: spacing[0])
    sweep(
      &values, outer: extent.depth, count: extent.height, inner: extent.width, spacing: spacing[1])
    sweep(
      &values, outer: 1, count: extent.depth, inner: extent.height * extent.width,
      spacing: spacing[2])
    return values
  }

  /// Squared distances within each row: voxels since the last source, from both ends.
  private static func alongRows(_ sources: Mask, spacing: Double) -> [Double] {
    let width = sources.extent.width
    var values = [Double](repeating: .infinity, count: sources.inside.count)
    for start in stride(from: 0, to: values.count, by: width) {
      let row = start..<start + width
      guard sources.inside[row].contains(1) else { continue }
      var distance = Double.infinity
      for i in row {
        distance = sources.inside[i] != 0 ? 0 : distance + 1
        values[i] = distance
      }
      for i in row.reversed() {
        distance = sources.inside[i] != 0 ? 0 : distance + 1
        let nearest = min(values[i], distance) * spacing
        values[i] = nearest * nearest
      }
    }
    return values
  }

  /// Transforms `[outer][count][inner]` along its middle axis.
  private static func sweep(
    _ values: inout [Double], outer: Int, count: Int, inner: Int, spacing: Double
  ) {
    var envelope = LowerEnvelope(count: count, spacing: spacing)
    // Columns are far apart in memory; 16 neighbors at a time use whole cache lines.
    let columns = 16
    var tile = [Double](repeating: 0, count: count * columns)
    for block in 0..<outer {
      for first in stride(from: 0, to: inner, by: columns) {
        let base = block * count * inner + first
        let used = min(columns, inner - first)
        for i in 0..<count {
          for c in 0..<used { tile[c * count + i] = values[base + i * inner + c] }
        }
        for c in 0..<used { envelope.transform(&tile, from: c * count) }
        for i in 0..<count {
          for c in 0..<used { values[base + i * inner + c] = tile[c * count + i] }
        }
      }
    }
  }
}

/// The lower envelope of the parabolas `f(v) + (w (x - v))^2` of one line of voxels.
private struct LowerEnvelope {
  private let count: Int
  private let weight: Double
  private var vertex: [Int]
  private var height: [Double]
  /// Where parabola k begins to be the lowest.
  private var start: [Double]

  init(count: Int, spacing: Double) {
    self.count = count
    weight = spacing * spacing
    vertex = [Int](repeating: 0, count: count)
    height = [Double](repeating: 0, count: count)
    start = [Double](repeating: 0, count: count)
  }

  /// Replaces `count` values from `first` by the envelope's values there.
  mutating func transform(_ line: inout [Double], from first: Int) {
    let parabolas = build(line, from: first)
    guard parabolas > 0 else { return }
    var k = 0
    for x in 0..<count {
      while k + 1 < parabolas && start[k + 1] < Double(x) { k += 1 }
      let distance = Double(x - vertex[k])
      line[first + x] = height[k] + weight * distance * distance
    }
  }

  /// Finds the parabolas that are lowest somewhere; returns how many.
  private mutating func build(_ line: [Double], from first: Int) -> Int {
    var parabolas = 0
    for q in 0..<count {
      let value = line[first + q]
      guard value < .infinity else { continue }
      var begin = -Double.infinity
      while parabolas > 0 {
        begin = crossing(of: parabolas - 1, with: q, value)
        if begin > start[parabolas - 1] { break }
        parabolas -= 1
        begin = -.infinity
      }
      vertex[parabolas] = q
      height[parabolas] = value
      start[parabolas] = begin
      parabolas += 1
    }
    return parabolas
  }

  /// Where the parabola at `q` falls below parabola k, which lies left of it.
  private func crossing(of k: Int, with q: Int, _ value: Double) -> Double {
    let step = Double(q - vertex[k])
    let middle = Double(q + vertex[k]) / 2
    return middle + (value - height[k]) / (2 * weight * step)
  }
}
