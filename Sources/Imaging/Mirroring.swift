import Tensors

/// Random reflection of patches, an augmentation.
package struct Mirroring: Hashable, Sendable {
  /// An axis of the prepared volume.
  package enum Axis: String, CaseIterable, Codable, Sendable { case x, y, z }

  /// How likely each axis is reflected, independently of the others, in 0...1; 0 if it is absent.
  package var probabilities: [Axis: Double]

  package init(probabilities: [Axis: Double]) {
    precondition(
      probabilities.values.allSatisfy((0...1).contains), "mirroring with \(probabilities)")
    self.probabilities = probabilities
  }

  /// Reflects along each of `axes` with the same probability.
  package init(axes: Set<Axis>, probability: Double = 0.5) {
    self.init(probabilities: Dictionary(uniqueKeysWithValues: axes.map { ($0, probability) }))
  }

  /// Leaves every patch as it is.
  package static let none = Mirroring(probabilities: [:])

  /// The axes that the patch at `position` of `epoch` is reflected along.
  package func draw(seed: UInt64, epoch: Int, position: Int) -> Set<Axis> {
    var stream = RandomStream(seed: seed, purpose: "mirror", epoch: epoch, patch: position)
    // Every axis draws, so that adding one to the configuration does not change the others.
    return Set(Axis.allCases.filter { stream.uniform() < probabilities[$0] ?? 0 })
  }

  /// Reflects the patch's image and labels along the axes drawn for it.
  package func apply(to patch: inout Patch, seed: UInt64) {
    let drawn = draw(seed: seed, epoch: patch.epoch, position: patch.position)
    for axis in Axis.allCases where drawn.contains(axis) { Self.reflect(&patch, along: axis) }
  }

  /// Reflects a patch's image and labels along one axis.
  package static func reflect(_ patch: inout Patch, along axis: Axis) {
    let extent = patch.image.shape.extent
    for channel in 0..<patch.image.shape.channels {
      var values = patch.image.mutableChannel(channel)
      reflect(&values, extent, axis)
    }
    reflect(&patch.labels, extent, axis)
  }

  private static func reflect<Values: MutableCollection & RandomAccessCollection>(
    _ values: inout Values, _ extent: Extent, _ axis: Axis
  ) where Values.Index == Int {
    // Seen as [outer][count][inner], an axis is reflected by swapping along the middle.
    let (outer, count, inner) =
      switch axis {
      case .x: (extent.depth * extent.height, extent.width, 1)
      case .y: (extent.depth, extent.height, extent.width)
      case .z: (1, extent.depth, extent.height * extent.width)
      }
    for block in 0..<outer {
      for i in 0..<count / 2 {
        let first = (block * count + i) * inner
        let last = (block * count + count - 1 - i) * inner
        for j in 0..<inner { values.swapAt(first + j, last + j) }
      }
    }
  }
}
