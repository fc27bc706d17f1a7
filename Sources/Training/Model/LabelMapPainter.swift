import Imaging
import Tensors

/// Makes a subject's label map on its own grid from probabilities on its prepared grid, which come a
/// band of planes at a time; a plane is painted as soon as those that it is made of are there.
package struct LabelMapPainter {
  private let scheme: LabelScheme
  private let path: PreparationPath
  private let compute: Compute
  private let probabilities: OwnGridVolume?
  private let attention: OwnGridVolume?
  private var labels: [Int16]
  /// The planes at hand: the last ones of earlier bands, and a band.
  private var parts: [(planes: Range<Int>, grid: VoxelGrid)] = []
  /// Planes of the crop box that are painted.
  private var painted = 0

  /// Planes painted by a thread at a time: few, so that they take little memory.
  private static let run = 4

  /// - Parameters:
  ///   - probabilities: gets the probabilities as well, if they are to be kept.
  ///   - attention: gets the channels that follow them, if they are to be kept.
  package init(
    _ scheme: LabelScheme, path: PreparationPath, probabilities: OwnGridVolume? = nil,
    attention: OwnGridVolume? = nil, on compute: Compute
  ) {
    self.scheme = scheme
    self.path = path
    self.compute = compute
    self.probabilities = probabilities
    self.attention = attention
    // Outside the crop box there is background, with certainty.
    if !scheme.usesRegions { probabilities?.fill(0) }
    labels = [Int16](repeating: scheme.background, count: path.stored.extent.voxels)
  }

  /// The label map once all planes have come; the painter holds nothing then.
  package mutating func finish() -> LabelMap {
    defer { labels = [] }
    return LabelMap(labels: labels, geometry: path.stored)
  }

  /// Takes the planes that follow those before.
  package mutating func paint(_ planes: Range<Int>, _ grid: VoxelGrid) {
    parts.append((planes, grid))
    let (first, end) = (painted, path.cropPlanes(before: planes.upperBound))
    var labels: [Int16] = []
    swap(&labels, &self.labels)
    labels.withUnsafeMutableBufferPointer { labels in
      compute.team.forChunks(of: end - first, length: Self.run) { _, chunk in
        paint(first + chunk.lowerBound..<first + chunk.upperBound, into: labels)
      }
    }
    swap(&labels, &self.labels)
    probabilities?.letGo()
    attention?.letGo()
    painted = end
    let isDone = end == path.crop.extent.depth
    keep(from: isDone ? nil : path.preparedPlanes(for: end..<end + 1).lowerBound)
  }

  /// Forgets the planes before `first`, all of them for nil.
  private mutating func keep(from first: Int?) {
    parts = parts.compactMap { planes, grid in
      guard let first, first < planes.upperBound else { return nil }
      let start = max(first, planes.lowerBound)
      let kept = grid.planes(
        from: start - planes.lowerBound, depth: planes.upperBound - start)
      return (start..<planes.upperBound, kept)
    }
  }

  private func paint(_ wanted: Range<Int>, into labels: UnsafeMutableBufferPointer<Int16>) {
    let needed = path.preparedPlanes(for: wanted)
    let paint = Paint(scheme)
    var result = paint.blank(path.crop.extent.height * path.crop.extent.width * wanted.count)
    for output in paint.order {
      let own = path.onCrop(values(output, needed), of: needed, planes: wanted)
      probabilities?.place(own, channel: output, planes: wanted, path)
      paint.add(own, output: output, to: &result)
    }
    path.place(result.labels, planes: wanted, into: labels)
    guard let attention else { return }
    for channel in 0..<attention.channels {
      let own = path.onCrop(
        values(scheme.outputs + channel, needed), of: needed, planes: wanted)
      attention.place(own, channel: channel, planes: wanted, path)
    }
  }

  /// A channel's values in planes that are at hand.
  private func values(_ channel: Int, _ needed: Range<Int>) -> [Float] {
    let plane = path.prepared.extent.height * path.prepared.extent.width
    var values: [Float] = []
    values.reserveCapacity(needed.count * plane)
    for (planes, grid) in parts where planes.overlaps(needed) {
      let common = needed.clamped(to: planes)
      let first = (common.lowerBound - planes.lowerBound) * plane
      values += grid.channel(channel)[first..<first + common.count * plane]
    }
    return values
  }
}

/// How outputs become labels, one after the other.
private struct Paint {
  /// Labels so far, and for softmax how likely they are.
  struct Result {
    var labels: [Int16]
    var best: [Float]
  }

  private let scheme: LabelScheme
  private let painted: [Int16]
  /// The outputs in the order of painting: as they are, or by the regions' layers.
  let order: [Int]

  init(_ scheme: LabelScheme) {
    self.scheme = scheme
    let regions = scheme.outputRegions
    painted = (scheme.usesRegions ? regions.map(\.painted) : scheme.labels.map(\.value))
      .map { Int16($0) }
    order =
      scheme.usesRegions
      ? regions.indices.sorted { (regions[$0].layer, $0) < (regions[$1].layer, $1) }
      : Array(painted.indices)
  }

  func blank(_ count: Int) -> Result {
    Result(
      labels: [Int16](repeating: scheme.background, count: count),
      best: [Float](repeating: -.infinity, count: scheme.usesRegions ? 0 : count))
  }

  /// A region takes the voxels where it is likelier than not, a class those where it is likeliest; a
  /// tie goes to the first.
  func add(_ probabilities: [Float], output: Int, to result: inout Result) {
    let label = painted[output]
    if scheme.usesRegions {
      for voxel in probabilities.indices where probabilities[voxel] > 0.5 {
        result.labels[voxel] = label
      }
    } else {
      for voxel in probabilities.indices where probabilities[voxel] > result.best[voxel] {
        result.best[voxel] = probabilities[voxel]
        result.labels[voxel] = label
      }
    }
  }
}
