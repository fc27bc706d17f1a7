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
  private struct Parabola {
    var vertex = 0.0
    var height = 0.0
    /// Where it begins to be the lowest.
    var start = 0.0
  }
  private let count: Int
  private let weight: Double
  private var parabolas: [Parabola]

  init(count: Int, spacing: Double) {
    self.count = count
    weight = spacing * spacing
    parabolas = [Parabola](repeating: Parabola(), count: count)
  }

  /// Replaces `count` values from `first` by the envelope's values there.
  mutating func transform(_ line: inout [Double], from first: Int) {
    let last = build(line, from: first) - 1
    guard last >= 0 else { return }
    var k = 0
    var lowest = parabolas[0]
    var end = last > 0 ? parabolas[1].start : .infinity
    for x in 0..<count {
      while end < Double(x) {
        k += 1
        lowest = parabolas[k]
        end = k < last ? parabolas[k + 1].start : .infinity
      }
      let distance = Double(x) - lowest.vertex
      line[first + x] = lowest.height + weight * distance * distance
    }
  }

  /// Finds the parabolas that are lowest somewhere; returns how many.
  private mutating func build(_ line: [Double], from first: Int) -> Int {
    var found = 0
    var last = Parabola()
    for q in 0..<count {
      let height = line[first + q]
      guard height < .infinity else { continue }
      var next = Parabola(vertex: Double(q), height: height, start: -.infinity)
      while found > 0 {
        next.start = crossing(of: last, with: next)
        if next.start > last.start { break }
        found -= 1
        next.start = -.infinity
        if found > 0 { last = parabolas[found - 1] }
      }
      parabolas[found] = next
      last = next
      found += 1
    }
    return found
  }

  /// Where `next`, whose vertex lies to the right, falls below `last`.
  private func crossing(of last: Parabola, with next: Parabola) -> Double {
    let distance = next.vertex - last.vertex
    return (next.vertex + last.vertex) / 2
      + (next.height - last.height) / (2 * weight * distance)
  }
}
