import Foundation
import Imaging
import Tensors

/// One set of cases as every layout's files would hold it.
///
/// Four channels of noise on a small oblique grid; label maps with a core of 4 in a shell of 1 in a
/// shell of 2, as BraTS has them.
package struct LayoutFixtures: Sendable {
  /// Where all of them lie; gone with the value.
  package let folder: TemporaryFolder
  package let channels: Int
  package let extent: Extent

  /// The label values of the maps.
  package static let values: [Int16] = [0, 1, 2, 4]
  /// The names that a test calls the channels.
  package static let sequences = ["t1", "t1ce", "t2", "flair"]

  package init(channels: Int = 4, edge: Int = 16) throws {
    folder = try TemporaryFolder()
    self.channels = channels
    extent = Extent(depth: edge, height: edge, width: edge)
  }

  private var geometry: Geometry {
    Geometry(
      extent: extent, affine: Affine(rows: [[0, -2, 0, 3], [1.5, 0, 0, -7], [0, 0, 1, 11]]))
  }

  /// One channel of a case.
  package func image(_ number: Int, channel: Int) -> Volume {
    let labels = labels(number).labels
    var stream = RandomStream(seed: 11, purpose: "channel \(channel)", patch: number)
    let values = labels.map { Float(stream.normal()) + 3 * Float($0) + 20 }
    return Volume(
      grid: VoxelGrid(Shape(channels: 1, extent: extent), values: values), geometry: geometry)
  }

  /// The label map of a case; its place depends on the number.
  package func labels(_ number: Int) -> LabelMap {
    let center = [extent.depth, extent.height, extent.width].map { $0 / 2 + number % 2 }
    let labels = (0..<extent.voxels).map { voxel -> Int16 in
      let place = [
        voxel / (extent.width * extent.height), voxel / extent.width % extent.height,
        voxel % extent.width,
      ]
      let distance = zip(place, center).map { abs($0 - $1) }.max() ?? 0
      switch distance {
      case ...2: return 4
      case 3: return 1
      case 4: return 2
      default: return 0
      }
    }
    return LabelMap(labels: labels, geometry: geometry)
  }

  // MARK: - Files

  /// The path of a file whose folder is made.
  package func path(_ name: String) throws -> String {
    let path = folder.file(name)
    try FileManager.default.createDirectory(
      at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    return path
  }

  package func writeImage(_ number: Int, channel: Int, to name: String) throws {
    try NIfTI.write(image(number, channel: channel), to: try path(name))
  }

  /// Writes all channels as one 4-D file.
  package func writeImages(_ number: Int, to name: String) throws {
    let values = (0..<channels).flatMap { channel in
      let grid = image(number, channel: channel).grid
      return (0..<extent.voxels).map { grid.values[$0] }
    }
    let grid = VoxelGrid(Shape(channels: channels, extent: extent), values: values)
    try NIfTI.write(Volume(grid: grid, geometry: geometry), to: try path(name))
  }

  package func writeLabels(_ number: Int, to name: String) throws {
    try NIfTI.write(labels(number), to: try path(name))
  }

  package func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: try path(name)))
  }
}

extension LayoutFixtures {
  private var channelNames: String {
    Self.sequences.prefix(channels).enumerated().map { #""\#($0)": "\#($1)""# }
      .joined(separator: ", ")
  }

  /// Writes cases in MSD layout, with one 4-D image a case, into `name`; returns its path.
  package func writeMSD(_ numbers: [Int], in name: String = "msd") throws -> String {
    for number in numbers {
      try writeImages(number, to: "\(name)/imagesTr/case_\(number).nii.gz")
      try writeLabels(number, to: "\(name)/labelsTr/case_\(number).nii.gz")
    }
    let entries = numbers.map {
      #"{"image": "./imagesTr/case_\#($0).nii.gz", "label": "./labelsTr/case_\#($0).nii.gz"}"#
    }
    try write(
      """
      {"name": "Layouts", "modality": {\(channelNames)},
       "labels": {"0": "background", "1": "shell", "2": "edema", "4": "core"},
       "training": [\(entries.joined(separator: ",\n"))], "test": []}
      """, to: "\(name)/dataset.json")
    return folder.file(name)
  }

  /// The `labels` of an nnU-Net `dataset.json` with regions.
  package static let regions = """
    "labels": {"background": 0, "whole": [1, 2, 4], "inner": [1, 4], "core": 4},
    "regions_class_order": [2, 1, 4]
    """

  /// Writes cases in nnU-Net's layout into `name`; `labels` are the keys that name them.
  package func writeNNUNet(
    _ numbers: [Int], tests: [Int] = [], in name: String = "nnunet",
    labels: String = #""labels": {"background": 0, "shell": 1, "edema": 2, "core": 4}"#
  ) throws -> String {
    for number in numbers + tests {
      let part = tests.contains(number) ? "Ts" : "Tr"
      for channel in 0..<channels {
        try writeImage(
          number, channel: channel, to: "\(name)/images\(part)/case_\(number)_000\(channel).nii.gz")
      }
      if part == "Tr" {
        try writeLabels(number, to: "\(name)/labelsTr/case_\(number).nii.gz")
      }
    }
    try write(
      """
      {"channel_names": {\(channelNames)}, \(labels),
       "numTraining": \(numbers.count), "file_ending": ".nii.gz"}
      """, to: "\(name)/dataset.json")
    return folder.file(name)
  }

  /// Writes cases in BraTS layout into `name`; those of `tests` are validation cases without seg.
  package func writeBraTS(
    _ numbers: [Int], tests: [Int] = [], in name: String = "brats"
  ) throws -> String {
    for number in numbers + tests {
      let part = tests.contains(number) ? "Validation" : "Training"
      let digits = String("00\(number)".suffix(3))
      let subject = "BraTS20_\(part)_\(digits)"
      for (channel, sequence) in Self.sequences.prefix(channels).enumerated() {
        try writeImage(
          number, channel: channel, to: "\(name)/\(subject)/\(subject)_\(sequence).nii")
      }
      if part == "Training" {
        try writeLabels(number, to: "\(name)/\(subject)/\(subject)_seg.nii")
      }
    }
    return folder.file(name)
  }

  /// Writes cases in CT-ORG's layout into `name`.
  package func writeCTORG(_ numbers: [Int], in name: String = "ctorg") throws -> String {
    for number in numbers {
      try writeImage(number, channel: 0, to: "\(name)/volume-\(number).nii.gz")
      try writeLabels(number, to: "\(name)/OrganSegmentations/labels-\(number).nii.gz")
    }
    return folder.file(name)
  }

  /// Writes a datalist with one file a channel into `name`; returns the list's path.
  package func writeDatalist(
    _ numbers: [Int], folds: Int = 2, in name: String = "datalist"
  ) throws -> String {
    var entries: [String] = []
    for number in numbers {
      let images = (0..<channels).map { "images/case_\(number)-\(Self.sequences[$0]).nii.gz" }
      for (channel, image) in images.enumerated() {
        try writeImage(number, channel: channel, to: "\(name)/\(image)")
      }
      try writeLabels(number, to: "\(name)/labels/case_\(number).nii.gz")
      let list = images.map { "\"\($0)\"" }.joined(separator: ", ")
      entries.append(
        """
        {"image": [\(list)], "label": "labels/case_\(number).nii.gz", "fold": \(number % folds)}
        """)
    }
    try write("{\"training\": [\(entries.joined(separator: ",\n"))]}", to: "\(name)/list.json")
    return folder.file("\(name)/list.json")
  }
}
