import Tensors

/// An image: one or more channels on a grid in space.
package struct Volume: Sendable {
  /// Intensities, `[C][z][y][x]` with x contiguous.
  package var grid: VoxelGrid
  /// Where the grid lies; its extent equals the grid's.
  package var geometry: Geometry

  package init(grid: VoxelGrid, geometry: Geometry) {
    precondition(
      grid.shape.extent == geometry.extent, "grid \(grid.shape), geometry \(geometry.extent)")
    self.grid = grid
    self.geometry = geometry
  }
}

/// A segmentation: one label value per voxel of a grid in space.
package struct LabelMap: Sendable {
  /// Label values, `[z][y][x]` with x contiguous.
  package var labels: [Int16]
  /// Where the grid lies; its voxels are as many as the labels.
  package var geometry: Geometry

  package init(labels: [Int16], geometry: Geometry) {
    precondition(
      labels.count == geometry.extent.voxels, "\(labels.count) labels for \(geometry.extent)")
    self.labels = labels
    self.geometry = geometry
  }

  /// The label values that occur.
  package var values: Set<Int16> {
    var found: Set<Int16> = []
    var last: Int16?
    // Voxels of one label lie side by side: few are looked up.
    for label in labels where label != last {
      found.insert(label)
      last = label
    }
    return found
  }

  /// The label that a stored number stands for: the integer within 1e-3 of it; nil for none.
  static func label(of value: Double) -> Int16? {
    let label = value.rounded()
    return abs(value - label) <= 1e-3 ? Int16(exactly: label) : nil
  }

  /// The value, of no label, of voxels that are neither learned nor scored.
  package static let ignored: Int16 = -1

  /// Makes the voxels of a label ignored ones.
  mutating func ignore(_ label: Int) {
    for index in labels.indices where Int(labels[index]) == label { labels[index] = Self.ignored }
  }
}
