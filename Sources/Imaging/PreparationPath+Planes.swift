import Tensors

/// The way back from a subject's prepared grid to its own, a run of planes at a time.
extension PreparationPath {
  /// The number of the crop box's planes, from its first, that the prepared planes before `end`
  /// suffice for.
  package func cropPlanes(before end: Int) -> Int {
    guard end < prepared.extent.depth else { return crop.extent.depth }
    guard isResampledAlongZ else { return end }
    let positions = LinearPositions(from: prepared.extent.depth, to: crop.extent.depth)
    return (0..<crop.extent.depth).first { positions[$0].upper >= end } ?? crop.extent.depth
  }

  /// The prepared planes that the crop box's planes `wanted` are made of.
  package func preparedPlanes(for wanted: Range<Int>) -> Range<Int> {
    guard isResampledAlongZ, !wanted.isEmpty else { return wanted }
    let positions = LinearPositions(from: prepared.extent.depth, to: crop.extent.depth)
    return positions[wanted.lowerBound].lower..<positions[wanted.upperBound - 1].upper + 1
  }

  /// One channel's values in the planes `wanted` of the crop box, linearly: `values` are those of the
  /// prepared planes `known`, which must suffice.
  package func onCrop(_ values: [Float], of known: Range<Int>, planes wanted: Range<Int>) -> [Float]
  {
    Resampling.linear(
      values, of: known, from: prepared.extent, to: crop.extent, planes: wanted, smoothing: false)
  }

  /// Puts values of the crop box's planes where those lie among the voxels of the subject's own grid.
  package func place<Value>(
    _ values: [Value], planes: Range<Int>, into stored: UnsafeMutableBufferPointer<Value>
  ) {
    var box = crop
    box.lower[2] += planes.lowerBound
    box.extent.depth = planes.count
    values.withUnsafeBufferPointer { axes.scatter($0, box, into: stored, self.stored.extent) }
  }

  private var isResampledAlongZ: Bool { prepared.extent.depth != crop.extent.depth }
}
