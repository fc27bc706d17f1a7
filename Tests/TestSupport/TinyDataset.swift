import Foundation
import Imaging
import Tensors

/// A data set that trains in a second: a bright box in noise, subjects of 16^3 voxels.
package struct TinyDataset: Sendable {
  /// Where it lies; gone with the value.
  package let folder: TemporaryFolder
  package var path: String { folder.path }
  /// The path of a configuration for it.
  package var configuration: String { folder.file("lkdist.yaml") }
  private let subjects: Int

  /// Writes the data set and a configuration that trains on it.
  package init(subjects: Int = 3) throws {
    folder = try TemporaryFolder()
    self.subjects = subjects
    for part in ["imagesTr", "labelsTr"] {
      try FileManager.default.createDirectory(
        atPath: folder.file(part), withIntermediateDirectories: true)
    }
    for index in 0..<subjects { try writeSubject(index) }
    try writeDescription()
    try writeConfiguration()
  }

  /// The path of a subject's image.
  package func image(_ index: Int) -> String { folder.file("imagesTr/case_\(index).nii.gz") }

  /// The path of a subject's label map.
  package func label(_ index: Int) -> String { folder.file("labelsTr/case_\(index).nii.gz") }

  /// An oblique grid, so that a prediction that forgets the geometry is found out.
  package static let geometry = Geometry(
    extent: extent,
    affine: Affine(rows: [[0, -2, 0, 3], [1.5, 0, 0, -7], [0, 0, 1, 11]]))
  /// The size of every subject.
  package static let extent = Extent(depth: 16, height: 16, width: 16)

  /// Replaces a subject's image by one whose voxels are all `value`.
  package func fillImage(_ index: Int, with value: Float) throws {
    let shape = Shape(channels: 1, extent: Self.extent)
    let grid = VoxelGrid(shape, values: [Float](repeating: value, count: shape.count))
    try NIfTI.write(Volume(grid: grid, geometry: Self.geometry), to: image(index))
  }

  private func writeSubject(_ index: Int) throws {
    var stream = RandomStream(seed: 5, purpose: "subject", patch: index)
    let labels = Self.labels
    let values = labels.map { Float(stream.normal()) + 4 * Float($0) + 20 }
    let grid = VoxelGrid(Shape(channels: 1, extent: Self.extent), values: values)
    try NIfTI.write(Volume(grid: grid, geometry: Self.geometry), to: image(index))
    try NIfTI.write(LabelMap(labels: labels, geometry: Self.geometry), to: label(index))
  }

  /// The box's label map.
  package static var labels: [Int16] {
    (0..<extent.voxels).map { voxel in
      let inside = [voxel / 256, voxel / 16 % 16, voxel % 16].allSatisfy((4..<11).contains)
      return inside ? 1 : 0
    }
  }

  private func writeDescription() throws {
    let entries = (0..<subjects).map { index in
      """
      {"image": "./imagesTr/case_\(index).nii.gz", "label": "./labelsTr/case_\(index).nii.gz"}
      """
    }
    try """
    {"name": "Tiny", "modality": {"0": "MRI"}, "labels": {"0": "background", "1": "box"},
     "training": [\(entries.joined(separator: ","))]}
    """.write(toFile: folder.file("dataset.json"), atomically: true, encoding: .utf8)
  }

  private func writeConfiguration() throws {
    try """
    name: tiny
    data: {path: ., folds: 3, fold: 0, spacing: null, patchSize: [16, 16, 16]}
    model: {attention: mid, channels: 16, maximumChannels: 32, scales: 2}
    optimizer: {learningRate: 3.0e-3}
    training: {epochs: 2, stepsPerEpoch: 3}
    """.write(toFile: configuration, atomically: true, encoding: .utf8)
  }
}
