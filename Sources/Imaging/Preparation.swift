import Tensors

/// The way from files to the network's input: reorient, crop, resample, normalize; and back.
package enum Preparation {
  /// Prepares one subject.
  ///
  /// - Throws: `badData`, `missing` or `inputOutput` that names the file; `configuration` where the
  ///   settings do not fit.
  package static func prepare(
    _ subject: Subject, dataset: Dataset, settings: PreparationSettings
  ) throws(ImagingError) -> PreparedSubject {
    try check(settings, channels: dataset.channelNames.count)
    var files = try SubjectFiles(subject, dataset: dataset)
    let path = try path(for: files, settings: settings)
    let labels = files.takeLabels().map { prepareLabels($0, path) }
    let image = try prepareImage(&files, path, settings)
    return PreparedSubject(
      identifier: subject.identifier, image: image, labels: labels, path: path)
  }

  private static func check(
    _ settings: PreparationSettings, channels: Int
  ) throws(ImagingError) {
    let rules = settings.normalization.count
    guard rules == 1 || rules == channels else {
      throw .configuration(
        "normalization lists \(rules) rules for \(channels) channels; give one, or one per channel")
    }
    if let spacing = settings.spacing {
      guard spacing.count == 3, spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw .configuration("spacing \(spacing) is not three positive numbers (x, y, z in mm)")
      }
    }
  }

  private static func path(
    for files: SubjectFiles, settings: PreparationSettings
  ) throws(ImagingError) -> PreparationPath {
    let stored = files.geometry
    let axes = try AxisMapping(from: stored.affine, to: settings.orientation)
    let reoriented = axes.reoriented(stored)
    let crop = axes.reoriented(files.nonzeroBox, in: stored.extent)
    let cropped = reoriented.cropped(to: crop)
    let extent = Resampling.extent(
      crop.extent, spacing: cropped.spacing, target: settings.spacing ?? cropped.spacing)
    return PreparationPath(
      stored: stored, axes: axes, crop: crop,
      prepared: cropped.resized(to: extent))
  }

  private static func prepareImage(
    _ files: inout SubjectFiles, _ path: PreparationPath, _ settings: PreparationSettings
  ) throws(ImagingError) -> VoxelGrid {
    let shape = Shape(channels: files.channels, extent: path.prepared.extent)
    var result = VoxelGrid(zeros: shape)
    var channel = 0
    while let image = files.takeImage() {
      for index in 0..<image.grid.shape.channels {
        let target = result.mutableChannel(channel)
        let rule = settings.normalization[settings.normalization.count == 1 ? 0 : channel]
        if path.isResampled {
          let values = prepareChannel(
            image.grid, index, path, keepsZeros: rule == .zscoreNonzero)
          _ = target.update(fromContentsOf: values)
        } else {
          path.axes.gather(
            path.crop, from: image.grid.channel(index), path.stored.extent, into: target)
        }
        try rule.apply(to: target)
        channel += 1
      }
    }
    return result
  }

  /// - Parameter keepsZeros: whether voxels that were 0 stay so where interpolation blurs them.
  private static func prepareChannel(
    _ stored: VoxelGrid, _ channel: Int, _ path: PreparationPath, keepsZeros: Bool
  ) -> [Float] {
    let cropped = gather(stored.channel(channel), path)
    let (extent, target) = (path.crop.extent, path.prepared.extent)
    let resampled = Resampling.linear(cropped, from: extent, to: target, smoothing: true)
    guard keepsZeros else { return resampled }
    let mask = Resampling.labels(cropped.map { $0 == 0 ? 0 : 1 }, from: extent, to: target)
    return zip(resampled, mask).map { $1 == 0 ? 0 : $0 }
  }

  private static func prepareLabels(_ map: LabelMap, _ path: PreparationPath) -> [Int16] {
    let cropped = map.labels.withUnsafeBufferPointer { gather($0, path) }
    return Resampling.labels(cropped, from: path.crop.extent, to: path.prepared.extent)
  }

  /// The crop box of stored voxels, in the prepared orientation.
  private static func gather<Value>(
    _ stored: UnsafeBufferPointer<Value>, _ path: PreparationPath
  ) -> [Value] {
    path.axes.gathered(path.crop, from: stored, path.stored.extent)
  }
}
