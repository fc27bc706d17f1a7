import Tensors

/// An axis of the prepared volume.
package enum Axis: String, CaseIterable, Codable, Sendable { case x, y, z }

/// Reflects patches along random axes.
package struct Mirroring: Hashable, Sendable {
  package var axes: [Axis]
  /// How likely each axis is reflected, independently of the others.
  package var probability: Double

  package init(axes: [Axis] = Axis.allCases, probability: Double = 0.5) {
    self.axes = axes
    self.probability = probability
  }

  /// The axes that a patch is reflected along.
  package func draw(_ stream: inout RandomStream) -> Set<Axis> {
    // Every axis draws, so that adding one to the configuration does not change the others.
    let drawn = Axis.allCases.filter { _ in stream.uniform() < probability }
    return Set(axes).intersection(drawn)
  }

  /// Reflects a patch's image and labels along `axes`.
  package static func reflect(_ patch: inout Patch, along axes: Set<Axis>) {
    guard !axes.isEmpty else { return }
    reflect(&patch.image, along: axes)
    let extent = patch.image.shape.extent
    patch.labels.withUnsafeMutableBufferPointer { reflect($0, extent, axes) }
  }

  /// Reflects every channel of a grid along `axes`.
  package static func reflect(_ grid: inout VoxelGrid, along axes: Set<Axis>) {
    guard !axes.isEmpty else { return }
    for channel in 0..<grid.shape.channels {
      reflect(grid.mutableChannel(channel), grid.shape.extent, axes)
    }
  }

  /// Every set of axes, the empty one first.
  package static let combinations: [Set<Axis>] = (0..<8).map { bits in
    Set(Axis.allCases.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element))
  }

  /// Every row changes places with one other or turns around where it is, in a single pass.
  private static func reflect<Value>(
    _ values: UnsafeMutableBufferPointer<Value>, _ extent: Extent, _ axes: Set<Axis>
  ) {
    let (depth, height, width) = (extent.depth, extent.height, extent.width)
    guard let base = values.baseAddress else { return }
    let isTurned = axes.contains(.x)
    for row in 0..<depth * height {
      let z = axes.contains(.z) ? depth - 1 - row / height : row / height
      let y = axes.contains(.y) ? height - 1 - row % height : row % height
      let other = z * height + y
      guard row <= other else { continue }
      let (a, b) = (base + row * width, base + other * width)
      let count = row == other ? (isTurned ? width / 2 : 0) : width
      for x in 0..<count {
        let mirrored = isTurned ? width - 1 - x : x
        (a[x], b[mirrored]) = (b[mirrored], a[x])
      }
    }
  }
}
