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

  /// Brings probabilities from the prepared grid to the subject's own full grid, linearly.
  ///
  /// - Parameter hasBackground: whether channel 0 is background, which is 1 outside the crop box;
  ///   all other channels are 0 there.
  package static func probabilitiesToOriginal(
    _ probabilities: VoxelGrid, of subject: PreparedSubject, hasBackground: Bool = true
  ) -> VoxelGrid {
    let path = subject.path
    let extent = path.stored.extent
    let channels = probabilities.shape.channels
    var result = VoxelGrid(zeros: Shape(channels: channels, extent: extent))
    for channel in 0..<channels {
      let target = result.mutableChannel(channel)
      if hasBackground && channel == 0 { target.update(repeating: 1) }
      onCrop(probabilities, channel, path).withUnsafeBufferPointer {
        path.axes.scatter($0, path.crop, into: target, extent)
      }
    }
    return result
  }

  /// The arg-max of `probabilitiesToOriginal` as a label map, without holding all its channels.
  ///
  /// - Parameter values: the label of each channel, background first; a tie goes to the first.
  package static func labelsToOriginal(
    _ probabilities: VoxelGrid, of subject: PreparedSubject, values: [Int16]
  ) -> LabelMap {
    let path = subject.path
    precondition(
      values.count == probabilities.shape.channels,
      "\(values.count) label values for \(probabilities.shape)")
    var best = onCrop(probabilities, 0, path)
    var labels = [Int16](repeating: values[0], count: best.count)
    for channel in 1..<max(1, values.count) {
      let candidate = onCrop(probabilities, channel, path)
      for index in best.indices where candidate[index] > best[index] {
        best[index] = candidate[index]
        labels[index] = values[channel]
      }
    }
    return labelsToOriginal(labels, path, background: values[0])
  }

  /// Puts labels of the crop box, in prepared orientation, onto the subject's own grid.
  private static func labelsToOriginal(
    _ labels: [Int16], _ path: PreparationPath, background: Int16
  ) -> LabelMap {
    let extent = path.stored.extent
    var result = [Int16](repeating: background, count: extent.voxels)
    result.withUnsafeMutableBufferPointer { result in
      labels.withUnsafeBufferPointer { path.axes.scatter($0, path.crop, into: result, extent) }
    }
    return LabelMap(labels: result, geometry: path.stored)
  }

  private static func onCrop(
    _ probabilities: VoxelGrid, _ channel: Int, _ path: PreparationPath
  ) -> [Float] {
    precondition(
      probabilities.shape.extent == path.prepared.extent,
      "probabilities \(probabilities.shape), prepared \(path.prepared.extent)")
    return Resampling.linear(
      Array(probabilities.channel(channel)), from: path.prepared.extent, to: path.crop.extent,
      smoothing: false)
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
        let values = prepareChannel(
          image.grid, index, path, keepsZeros: rule == .zscoreNonzero)
        _ = target.update(fromContentsOf: values)
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
    guard keepsZeros && extent != target else { return resampled }
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
    let count = path.crop.extent.voxels
    return [Value](unsafeUninitializedCapacity: count) { values, initialized in
      path.axes.gather(path.crop, from: stored, path.stored.extent, into: values)
      initialized = count
    }
  }
}
