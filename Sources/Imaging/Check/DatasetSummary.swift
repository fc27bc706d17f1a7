import Tensors

/// The least, middle and greatest of some numbers.
package struct Spread: Hashable, Sendable {
  package let minimum: Double
  package let median: Double
  package let maximum: Double

  /// The spread of at least one number.
  package init?(of values: [Double]) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let middle = sorted.count / 2
    (minimum, maximum) = (first, last)
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// The figures of a data set.
package struct DatasetSummary: Hashable, Sendable {
  /// How often a label occurs in the label maps to train on.
  package struct ClassFrequency: Hashable, Sendable {
    package let value: Int
    package let name: String
    package let voxels: Int
    /// Subjects that hold it.
    package let subjects: Int
  }

  /// How many subjects are stored in an orientation, such as "LPS".
  package struct OrientationCount: Hashable, Sendable {
    package let name: String
    package let count: Int
  }

  package let files: Int
  /// On disk.
  package let bytes: Int
  /// Voxels along x, y, z of the RAS orientation; empty where no image can be read.
  package let sizes: [Spread]
  /// In mm along x, y, z of the RAS orientation; empty where no image can be read.
  package let spacing: [Spread]
  /// Ascending by name.
  package let orientations: [OrientationCount]
  /// Ascending by value: the data set's labels, and others that were found.
  package let classes: [ClassFrequency]

  init(_ subjects: [SubjectCheck], of dataset: Dataset) {
    let scans = subjects.flatMap { $0.images + [$0.labelMap].compactMap { $0 } }
    files = scans.count
    bytes = scans.map(\.bytes).reduce(0, +)
    let grids = subjects.compactMap { $0.images.first?.geometry }
    let reoriented = grids.compactMap { grid in
      (try? AxisMapping(from: grid.affine, to: "RAS"))?.reoriented(grid)
    }
    sizes = (0..<3).compactMap { axis in
      Spread(of: reoriented.map { Double($0.extent.xyz[axis]) })
    }
    spacing = (0..<3).compactMap { axis in Spread(of: reoriented.map { $0.spacing[axis] }) }
    orientations = Dictionary(grouping: grids) { AxisMapping.orientation(of: $0.affine) }
      .map { OrientationCount(name: $0.key, count: $0.value.count) }
      .sorted { $0.name < $1.name }
    classes = Self.classes(
      subjects.filter { $0.subject.part == .training }.compactMap(\.labelMap?.labels), dataset)
  }

  private static func classes(_ maps: [LabelTally], _ dataset: Dataset) -> [ClassFrequency] {
    var names = Dictionary(dataset.labels.map { ($0.value, $0.name) }) { first, _ in first }
    if let ignored = dataset.ignoredLabel { names[ignored] = "ignore" }
    let values = Set(names.keys).union(maps.flatMap { $0.counts.keys.map(Int.init) })
    return values.sorted().map { value in
      let counts = maps.compactMap { map in Int16(exactly: value).flatMap { map.counts[$0] } }
      return ClassFrequency(
        value: value, name: names[value] ?? "not listed", voxels: counts.reduce(0, +),
        subjects: counts.count)
    }
  }

  /// All voxels of the label maps to train on.
  package var labelVoxels: Int { classes.map(\.voxels).reduce(0, +) }
}
