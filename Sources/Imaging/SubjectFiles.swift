import Tensors

/// A subject's images and labels as stored, checked against each other and the data set.
struct SubjectFiles {
  /// One per file, in channel order, on the same grid.
  private(set) var images: [Volume]
  private(set) var labels: LabelMap?

  /// The grid of all of them.
  let geometry: Geometry

  /// Reads all files of `subject`.
  ///
  /// - Throws: `badData` for grids that differ, missing channels and values that are no label of
  ///   `dataset`; what `NIfTI` throws.
  init(_ subject: Subject, dataset: Dataset) throws(ImagingError) {
    guard let first = subject.images.first else {
      throw .missing("subject \(subject.identifier) has no image")
    }
    var images: [Volume] = []
    for path in subject.images { images.append(try NIfTI.readImage(path)) }
    self.images = images
    geometry = images[0].geometry
    for (image, path) in zip(images, subject.images).dropFirst() {
      try Self.requireMatch(geometry, first, image.geometry, path)
    }
    let channels = images.map(\.grid.shape.channels).reduce(0, +)
    guard channels == dataset.channelNames.count else {
      throw .badData(
        "\(subject.images.joined(separator: ", ")): \(channels) channels, but the data set lists "
          + "\(dataset.channelNames.count) (\(dataset.channelNames.joined(separator: ", ")))")
    }
    guard let path = subject.label else {
      labels = nil
      return
    }
    var labels = try NIfTI.readLabels(path)
    try Self.requireMatch(geometry, first, labels.geometry, path)
    try Self.requireKnown(labels, path, dataset)
    if let ignored = dataset.ignoredLabel { labels.ignore(ignored) }
    self.labels = labels
  }

  /// The channels of all images.
  var channels: Int { images.map(\.grid.shape.channels).reduce(0, +) }

  /// The first image that was not taken yet, which is then the caller's to free; nil after the last.
  mutating func takeImage() -> Volume? { images.isEmpty ? nil : images.removeFirst() }

  /// The labels, which are then the caller's to free.
  mutating func takeLabels() -> LabelMap? { labels.take() }

  private static func requireMatch(
    _ a: Geometry, _ firstPath: String, _ b: Geometry, _ path: String
  ) throws(ImagingError) {
    guard !a.matches(b) else { return }
    throw .badData(
      "\(firstPath) and \(path) lie on different grids: \(a.difference(from: b)); "
        + "resample one to the other")
  }

  private static func requireKnown(
    _ map: LabelMap, _ path: String, _ dataset: Dataset
  ) throws(ImagingError) {
    let known = dataset.knownValues
    guard let unknown = map.values.filter({ !known.contains(Int($0)) }).min() else { return }
    throw .badData(
      "\(path) holds label \(unknown), which the data set does not list "
        + "(\(known.sorted().map(String.init).joined(separator: ", "))); correct the label map or "
        + "add the label to \(dataset.labelSource)")
  }

  /// The smallest box of the stored grid outside which all channels are 0; all of it if all are.
  var nonzeroBox: VoxelBox {
    let extent = geometry.extent
    var bounds = NonzeroBounds()
    for image in images {
      for channel in 0..<image.grid.shape.channels {
        bounds.include(image.grid, channel)
      }
    }
    return bounds.box ?? VoxelBox(lower: [0, 0, 0], extent: extent)
  }
}

/// The smallest and largest x, y, z at which something was found.
private struct NonzeroBounds {
  private var lower = SIMD3(repeating: Int.max)
  private var upper = SIMD3(repeating: -1)

  mutating func include(_ grid: VoxelGrid, _ channel: Int) {
    let (values, extent) = (grid.channel(channel), grid.shape.extent)
    for z in 0..<extent.depth {
      for y in 0..<extent.height {
        let start = (z * extent.height + y) * extent.width
        let row = UnsafeBufferPointer(rebasing: values[start..<start + extent.width])
        guard let first = row.firstIndex(where: { $0 != 0 }),
          let last = row.lastIndex(where: { $0 != 0 })
        else { continue }
        lower = pointwiseMin(lower, SIMD3(first, y, z))
        upper = pointwiseMax(upper, SIMD3(last, y, z))
      }
    }
  }

  var box: VoxelBox? {
    guard upper.x >= 0 else { return nil }
    return VoxelBox(
      lower: (0..<3).map { lower[$0] },
      extent: Extent(xyz: (0..<3).map { upper[$0] - lower[$0] + 1 }))
  }
}
