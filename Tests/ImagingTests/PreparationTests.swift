import Foundation
import Imaging
import Tensors
import Testing

@Suite struct PreparationTests {
  /// Stored as LPS with 1 x 2 x 3 mm voxels: a box of non-zero voxels with a label corner.
  private let geometry = Geometry(
    extent: Extent(xyz: [8, 7, 6]),
    affine: Affine(rows: [[-1, 0, 0, 4], [0, -2, 0, 5], [0, 0, 3, 6]]))

  private func dataset(_ folder: String, channels: Int = 1) -> Dataset {
    Dataset(
      name: "boxes", channelNames: (0..<channels).map { "c\($0)" },
      labels: [DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 2, name: "corner")],
      subjects: [
        Subject(
          identifier: "box", images: (0..<channels).map { "\(folder)/image\($0).nii.gz" },
          label: "\(folder)/label.nii.gz")
      ])
  }

  /// Writes images that are non-zero in x 2...5, y 1...4, z 2...3 and returns their values.
  private func write(_ dataset: Dataset, label: Int16 = 2) throws -> [Float] {
    var values = [Float](repeating: 0, count: geometry.extent.voxels)
    var labels = [Int16](repeating: 0, count: geometry.extent.voxels)
    for z in 2...3 {
      for y in 1...4 {
        for x in 2...5 {
          values[(z * 7 + y) * 8 + x] = Float(100 * z + 10 * y + x)
          labels[(z * 7 + y) * 8 + x] = x <= 3 && y <= 2 ? label : 0
        }
      }
    }
    let grid = VoxelGrid(Shape(channels: 1, extent: geometry.extent), values: values)
    for path in dataset.subjects[0].images {
      try NIfTI.write(Volume(grid: grid, geometry: geometry), to: path)
    }
    if let path = dataset.subjects[0].label {
      try NIfTI.write(LabelMap(labels: labels, geometry: geometry), to: path)
    }
    return values
  }

  private func settings(_ spacing: [Double]? = nil, _ rules: [Normalization] = [.none])
    -> PreparationSettings
  {
    PreparationSettings(spacing: spacing, normalization: rules)
  }

  @Test func `a subject is turned and cropped to its box`() throws {
    try ImagingFixtures.withFolder { folder in
      let dataset = dataset(folder, channels: 2)
      _ = try write(dataset)
      let subject = try Preparation.prepare(
        dataset.subjects[0], dataset: dataset, settings: settings())
      #expect(subject.image.shape == Shape(channels: 2, extent: Extent(xyz: [4, 4, 2])))
      #expect(subject.image[1, 0, 0, 0] == 245)
      #expect(subject.image[0, 1, 3, 3] == 312)
      #expect(
        subject.path.prepared.affine
          == Affine(rows: [[1, 0, 0, -1], [0, 2, 0, -3], [0, 0, 3, 12]]))
      #expect(subject.foreground.map(\.value) == [2])
      let box = try #require(subject.labels)
      #expect(subject.foreground[0].voxels == 8)
      let voxels = (0..<8).map { subject.foreground[0].voxel($0, in: box) }
      #expect(voxels == [10, 11, 14, 15, 26, 27, 30, 31])
    }
  }

  @Test func `resampling keeps the box and comes back to the stored grid`() throws {
    try ImagingFixtures.withFolder { folder in
      let dataset = dataset(folder)
      _ = try write(dataset)
      let subject = try Preparation.prepare(
        dataset.subjects[0], dataset: dataset, settings: settings([0.5, 1, 1], [.zscore]))
      #expect(subject.extent.xyz == [8, 8, 6])
      #expect(subject.path.prepared.spacing == [0.5, 1, 1])
      let labels = try #require(subject.labels)
      let oneHot = [labels.map { $0 == 0 ? 1 : 0 }, labels.map { Float($0 == 2 ? 1 : 0) }]
      let probabilities = VoxelGrid(
        Shape(channels: 2, extent: subject.extent), values: Array(oneHot.joined()))
      let stored = try NIfTI.readLabels("\(folder)/label.nii.gz")
      #expect(subject.path.stored == stored.geometry)
      let background = onOwnGrid(probabilities, 0, subject.path, outside: 1)
      let corner = onOwnGrid(probabilities, 1, subject.path, outside: 0)
      let labelled = zip(background, corner).map { pair -> Int16 in pair.0 < pair.1 ? 2 : 0 }
      #expect(labelled == stored.labels)
    }
  }

  /// A channel of prepared values on the subject's own grid, plane by plane.
  private func onOwnGrid(
    _ grid: VoxelGrid, _ channel: Int, _ path: PreparationPath, outside: Float
  ) -> [Float] {
    var result = [Float](repeating: outside, count: path.stored.extent.voxels)
    let plane = path.prepared.extent.height * path.prepared.extent.width
    for z in 0..<path.crop.extent.depth {
      let needed = path.preparedPlanes(for: z..<(z + 1))
      let range: Range<Int> = (needed.lowerBound * plane)..<(needed.upperBound * plane)
      let values = Array(grid.channel(channel)[range])
      let wanted: Range<Int> = z..<(z + 1)
      let own = path.onCrop(values, of: needed, planes: wanted)
      result.withUnsafeMutableBufferPointer { path.place(own, planes: wanted, into: $0) }
    }
    return result
  }

  @Test func `an image of zeros is kept whole`() throws {
    try ImagingFixtures.withFolder { folder in
      let dataset = dataset(folder)
      _ = try write(dataset)
      let zeros = VoxelGrid(zeros: Shape(channels: 1, extent: geometry.extent))
      try NIfTI.write(Volume(grid: zeros, geometry: geometry), to: "\(folder)/image0.nii.gz")
      let subject = try Preparation.prepare(
        dataset.subjects[0], dataset: dataset, settings: settings(nil, [.zscore]))
      #expect(subject.extent == geometry.extent)
      #expect(subject.image.values.allSatisfy { $0 == 0 })
    }
  }

  @Test func `image and label on different grids name both files`() throws {
    try ImagingFixtures.withFolder { folder in
      let dataset = dataset(folder)
      _ = try write(dataset)
      var moved = try NIfTI.readLabels("\(folder)/label.nii.gz")
      moved.geometry.affine.origin.z += 0.01
      try NIfTI.write(moved, to: "\(folder)/label.nii.gz")
      let affine = message {
        _ = try Preparation.prepare(dataset.subjects[0], dataset: dataset, settings: settings())
      }
      #expect(
        affine.hasPrefix(
          "badData: \(folder)/image0.nii.gz and \(folder)/label.nii.gz lie on different grids"))
      let other = Geometry(extent: Extent(xyz: [8, 7, 5]), affine: geometry.affine)
      try NIfTI.write(
        LabelMap(labels: Array(repeating: 0, count: 280), geometry: other),
        to: "\(folder)/label.nii.gz")
      let sizes = message {
        _ = try Preparation.prepare(dataset.subjects[0], dataset: dataset, settings: settings())
      }
      #expect(sizes.contains("their sizes are 8x7x6 and 8x7x5"))
    }
  }

  @Test func `a label outside the list names its value and file`() throws {
    try ImagingFixtures.withFolder { folder in
      let dataset = dataset(folder)
      _ = try write(dataset, label: 9)
      let text = message {
        _ = try Preparation.prepare(dataset.subjects[0], dataset: dataset, settings: settings())
      }
      #expect(text.hasPrefix("badData: \(folder)/label.nii.gz holds label 9"))
      #expect(text.contains("(0, 2)"))
    }
  }

  @Test func `channels and settings must fit the data set`() throws {
    try ImagingFixtures.withFolder { folder in
      var dataset = dataset(folder)
      _ = try write(dataset)
      let subject = dataset.subjects[0]
      let rules = message {
        _ = try Preparation.prepare(
          subject, dataset: dataset, settings: settings(nil, [.none, .zscore]))
      }
      #expect(rules.hasPrefix("configuration: normalization lists 2 rules for 1 channels"))
      let spacing = message {
        _ = try Preparation.prepare(subject, dataset: dataset, settings: settings([1, 0, 1]))
      }
      #expect(spacing.hasPrefix("configuration: spacing"))
      dataset.channelNames.append("T2")
      let channels = message {
        _ = try Preparation.prepare(subject, dataset: dataset, settings: settings())
      }
      #expect(channels.contains("1 channels, but the data set lists 2 (c0, T2)"))
    }
  }

  /// LKDIST_DATA_DIR is a data set in MSD layout.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LKDIST_DATA_DIR"] != nil))
  func `a real data set prepares, and its labels come back`() throws {
    let folder = ProcessInfo.processInfo.environment["LKDIST_DATA_DIR"] ?? "."
    let dataset = try Dataset.load(folder)
    let clock = ContinuousClock()
    var spent = Duration.zero
    for subject in dataset.subjects {
      var prepared: PreparedSubject?
      spent += try clock.measure {
        prepared = try Preparation.prepare(
          subject, dataset: dataset, settings: PreparationSettings(spacing: [1, 1, 1]))
      }
      let result = try #require(prepared)
      let labels = try #require(result.labels)
      let values = dataset.labels.map { Int16($0.value) }
      let oneHot = values.map { value in labels.map { Float($0 == value ? 1 : 0) } }
      let grid = VoxelGrid(
        Shape(channels: values.count, extent: result.extent), values: Array(oneHot.joined()))
      let own = values.indices.map { onOwnGrid(grid, $0, result.path, outside: $0 == 0 ? 1 : 0) }
      let stored = try NIfTI.readLabels(try #require(subject.label))
      var agreeing = 0
      for (voxel, label) in stored.labels.enumerated() {
        var best = 0
        for channel in values.indices where own[channel][voxel] > own[best][voxel] {
          best = channel
        }
        agreeing += values[best] == label ? 1 : 0
      }
      #expect(Double(agreeing) >= 0.97 * Double(stored.labels.count), "\(subject.identifier)")
    }
    print("prepared \(dataset.subjects.count) subjects of \(dataset.name) in \(spent)")
  }
}
