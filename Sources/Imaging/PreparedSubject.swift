import Tensors

/// What preparation does to every subject of a run.
package struct PreparationSettings: Codable, Hashable, Sendable {
  /// Three letters, one of each of RL, AP and SI: where x, y and z point.
  package var orientation: String
  /// Target spacing in mm along x, y, z of the reoriented volume; nil keeps the stored one.
  package var spacing: [Double]?
  /// One per channel; a single one serves all channels.
  package var normalization: [Normalization]

  package init(
    orientation: String = "RAS", spacing: [Double]? = nil,
    normalization: [Normalization] = [.zscore]
  ) {
    self.orientation = orientation
    self.spacing = spacing
    self.normalization = normalization
  }

  /// Whether a channel's CT normalization still lacks the training subjects' intensities.
  package var needsStatistics: Bool { normalization.contains(.ct(nil)) }

  /// The settings with CT rules completed by `IntensityStatistics.measure`, one per channel.
  package func completed(with statistics: [IntensityStatistics]) -> PreparationSettings {
    var settings = self
    let isShared = normalization.count == 1
    settings.normalization = statistics.enumerated().map { channel, statistics in
      let rule = normalization[isShared ? 0 : channel]
      return rule == .ct(nil) ? .ct(statistics) : rule
    }
    return settings
  }
}

extension PreparationSettings {
  /// The size of a prepared subject of which nothing is cropped, from its first image's header.
  ///
  /// - Throws: `ImagingError` naming the file.
  package func extent(of subject: Subject) throws(ImagingError) -> Extent {
    guard let path = subject.images.first else {
      throw .missing("subject \(subject.identifier) has no image")
    }
    let geometry = try NIfTI.readGeometry(path, reoriented: orientation)
    return Resampling.extent(
      geometry.extent, spacing: geometry.spacing, target: spacing ?? geometry.spacing)
  }
}

/// The way from a subject's stored grid to its prepared grid, so that results can go back.
package struct PreparationPath: Codable, Equatable, Sendable {
  /// The grid of the subject's files.
  package var stored: Geometry
  /// Which stored axis each reoriented axis is.
  package var axes: AxisMapping
  /// The part of the reoriented grid that was kept.
  package var crop: VoxelBox
  /// The grid of the prepared image, after resampling.
  package var prepared: Geometry

  /// Whether the prepared grid has other sizes than what was kept of the stored one.
  var isResampled: Bool { prepared.extent != crop.extent }

  package init(
    stored: Geometry, axes: AxisMapping, crop: VoxelBox, prepared: Geometry
  ) {
    self.stored = stored
    self.axes = axes
    self.crop = crop
    self.prepared = prepared
  }
}

/// A subject ready for patches: oriented, cropped, resampled, normalized.
package struct PreparedSubject: Sendable {
  package var identifier: String
  /// Normalized intensities, `[C][z][y][x]`.
  package var image: VoxelGrid
  /// Label values or `LabelMap.ignored`, `[z][y][x]`; nil where the subject has no label map.
  package var labels: LabelGrid?
  /// The classes that are present, ascending; empty without labels.
  package var foreground: [ForegroundClass]
  /// The way back to the subject's own grid.
  package var path: PreparationPath

  /// - Parameter foreground: the classes among `labels`.
  package init(
    identifier: String, image: VoxelGrid, labels: LabelGrid?, foreground: [ForegroundClass],
    path: PreparationPath
  ) {
    precondition(
      labels.map { $0.count == image.shape.extent.voxels } ?? true,
      "\(labels?.count ?? 0) labels for \(image.shape)")
    self.identifier = identifier
    self.image = image
    self.labels = labels
    self.foreground = foreground
    self.path = path
  }

  /// A subject whose classes are looked for among its labels.
  package init(identifier: String, image: VoxelGrid, labels: [Int16]?, path: PreparationPath) {
    let grid = labels.map(LabelGrid.init)
    let foreground = grid.map { ForegroundClass.find(in: $0, of: image.shape.extent) } ?? []
    self.init(
      identifier: identifier, image: image, labels: grid, foreground: foreground, path: path)
  }

  /// Voxels along z, y, x.
  package var extent: Extent { image.shape.extent }
}
