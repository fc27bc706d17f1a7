import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// What `lkdist check` finds: each defect put into a sound data set is the only thing found.
@Suite struct DatasetCheckTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  private func check() throws -> DatasetCheck {
    let dataset = try Dataset.load(data.path, layout: .msd)
    let scans = DatasetCheck.files(of: dataset).joined().map {
      FileScan($0.path, isLabelMap: $0.isLabelMap)
    }
    return DatasetCheck(dataset, scans: scans)
  }

  /// Expects one finding, about subject 1.
  private func expect(
    _ severity: Finding.Severity, _ kind: Finding.Kind, in file: String, _ parts: String...,
    correction: Finding.Correction? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let findings = try check().findings
    #expect(findings.count == 1, "\(findings.map(\.problem))", sourceLocation: sourceLocation)
    let finding = try #require(findings.first, sourceLocation: sourceLocation)
    #expect(finding.severity == severity && finding.kind == kind, sourceLocation: sourceLocation)
    #expect(
      finding.subject == "case_1" && finding.file == file && finding.remedy != nil,
      "\(finding)", sourceLocation: sourceLocation)
    #expect(finding.correction == correction, sourceLocation: sourceLocation)
    for part in parts {
      #expect(finding.problem.contains(part), "\(finding.problem)", sourceLocation: sourceLocation)
    }
  }

  private func writeImage(
    channels: Int = 1, _ geometry: Geometry = TinyDataset.geometry, to path: String,
    _ value: (Int) -> Float
  ) throws {
    let shape = Shape(channels: channels, extent: geometry.extent)
    let grid = VoxelGrid(shape, values: (0..<shape.count).map(value))
    try NIfTI.write(Volume(grid: grid, geometry: geometry), to: path)
  }

  private func writeLabels(_ geometry: Geometry) throws {
    try NIfTI.write(LabelMap(labels: TinyDataset.labels, geometry: geometry), to: data.label(1))
  }

  @Test func `a sound data set has figures and no findings`() throws {
    let check = try check()
    #expect(check.findings.isEmpty, "\(check.findings.map(\.problem))")
    let summary = check.summary
    #expect(summary.files == 6 && summary.bytes > 0)
    #expect(summary.sizes.map(\.median) == [16, 16, 16])
    #expect(summary.spacing.map(\.maximum) == [2, 1.5, 1])
    #expect(summary.orientations.map(\.name) == ["ALS"])
    #expect(summary.classes.map(\.name) == ["background", "box"])
    #expect(summary.classes.map(\.voxels) == [3 * (4096 - 343), 3 * 343])
    #expect(summary.classes.map(\.subjects) == [3, 3])
  }

  @Test func `voxels that are not numbers are counted`() throws {
    try writeImage(to: data.image(1)) { $0 < 2 ? .nan : $0 == 2 ? .infinity : Float($0) }
    try expect(
      .error, .nonFinite, in: data.image(1), "3 voxels are NaN or infinite", correction: .zeros)
  }

  @Test func `a constant image is told from a sound one`() throws {
    try data.fillImage(1, with: 7)
    try expect(.warning, .constant, in: data.image(1), "channel MRI is 7.0 everywhere")
  }

  @Test func `a label that is not listed is counted`() throws {
    var labels = TinyDataset.labels
    for voxel in [3, 7, 9] { labels[voxel] = 9 }
    try NIfTI.write(LabelMap(labels: labels, geometry: TinyDataset.geometry), to: data.label(1))
    try expect(.error, .labelValue, in: data.label(1), "9 (3 voxels)", "(0, 1)")
  }

  @Test func `a number between labels is named with its voxel`() throws {
    try writeImage(to: data.label(1)) { $0 == 33 ? 0.5 : Float(TinyDataset.labels[$0]) }
    try expect(.error, .labelValue, in: data.label(1), "1 voxel is no label", "[1, 2, 0]", "0.5")
  }

  @Test func `labels a hair from whole numbers are read as labels`() throws {
    try writeImage(to: data.label(1)) { Float(TinyDataset.labels[$0]) * 1.0000001 }
    try expect(.note, .rounding, in: data.label(1), "343 voxels", correction: .wholeLabels)
  }

  @Test func `a label map without foreground is told`() throws {
    let labels = TinyDataset.labels.map { _ in Int16(0) }
    try NIfTI.write(LabelMap(labels: labels, geometry: TinyDataset.geometry), to: data.label(1))
    try expect(.warning, .emptyLabels, in: data.label(1), "no foreground")
  }

  @Test func `two subjects with the same voxels are found, however they are stored`() throws {
    let first = try NIfTI.readImage(data.image(0))
    let plain = data.folder.file("plain.nii")
    try NIfTI.write(first, to: plain)
    try FileManager.default.removeItem(atPath: data.image(1))
    try FileManager.default.moveItem(atPath: plain, toPath: data.image(1))
    try expect(.warning, .duplicate, in: data.image(1), data.image(0), "subject case_0")
  }

  @Test func `grids within a hundredth of a voxel are the same`() throws {
    var geometry = TinyDataset.geometry
    geometry.affine.origin[0] += 0.005
    try writeLabels(geometry)
    #expect(try check().findings.isEmpty)
  }

  @Test func `a small shift can be corrected, a large one not`() throws {
    var geometry = TinyDataset.geometry
    geometry.affine.origin[0] += 0.05
    try writeLabels(geometry)
    try expect(
      .error, .grid, in: data.label(1), "up to 0.05 mm", data.image(1),
      correction: .grid(of: data.image(1)))
    geometry.affine.origin[0] += 0.3
    try writeLabels(geometry)
    try expect(.error, .grid, in: data.label(1), "up to 0.35 mm", "16x16x16")
  }

  @Test func `a label map without a place gets the image's if spacings agree`() throws {
    var geometry = Geometry(
      extent: TinyDataset.extent, affine: Affine(spacing: [1.5, 2, 1]), isPlaced: false)
    try writeLabels(geometry)
    try expect(
      .error, .grid, in: data.label(1), "neither sform nor qform",
      correction: .grid(of: data.image(1)))
    geometry.affine = Affine(spacing: [2, 1.5, 1])
    try writeLabels(geometry)
    try expect(.error, .grid, in: data.label(1), "its corners lie up to")
  }

  @Test func `other sizes and numbers of channels are told`() throws {
    let small = Geometry(
      extent: Extent(xyz: [16, 16, 15]), affine: TinyDataset.geometry.affine)
    try writeImage(small, to: data.image(1)) { Float($0) }
    try expect(.error, .grid, in: data.label(1), "16x16x16 voxels", "16x16x15")
    try writeImage(channels: 2, to: data.image(1)) { Float($0) }
    try expect(.error, .channels, in: data.image(1), "2 channels", "lists 1 (MRI)")
  }

  @Test func `a file that cannot be read is told with what to do`() throws {
    let bytes = try data.folder.bytes("imagesTr/case_1.nii.gz")
    try data.folder.write(Array(bytes.prefix(bytes.count / 2)), to: "imagesTr/case_1.nii.gz")
    try expect(.error, .unreadable, in: data.image(1), "is truncated")
    #expect(try check().findings.first?.remedy == "copy it again")
    #expect(try check().findings.first?.problem.hasPrefix("is truncated") == true)
  }

  @Test func `several orientations and classes that nobody drew are told of the whole`() throws {
    let turned = Geometry(extent: TinyDataset.extent, affine: Affine(spacing: [1, 1, 1]))
    try writeImage(turned, to: data.image(1)) { Float($0) }
    try writeLabels(turned)
    let text = try data.folder.text("dataset.json")
      .replacingOccurrences(of: #""1": "box""#, with: #""1": "box", "2": "ring""#)
    try data.folder.write(Array(text.utf8), to: "dataset.json")
    let findings = try check().findings
    #expect(findings.map(\.kind) == [.orientation, .absentClass])
    #expect(findings[0].problem.hasSuffix("ALS 2, RAS 1"))
    #expect(findings[1].problem.contains("label 2 (ring)"))
  }

  @Test func `channels of a 4-D file are looked at one by one`() throws {
    let files = try LayoutFixtures(channels: 4, edge: 17)
    let path = try files.writeMSD([1, 2])
    let image = "\(path)/imagesTr/case_2.nii.gz"
    let voxels = files.extent.voxels
    var volume = try NIfTI.readImage(image)
    let other = try NIfTI.readImage("\(path)/imagesTr/case_1.nii.gz")
    let values = volume.grid.mutableValues()
    for voxel in 0..<voxels {
      values[2 * voxels + voxel] = 5
      values[3 * voxels + voxel] = other.grid.values[3 * voxels + voxel]
    }
    try NIfTI.write(volume, to: image)
    let dataset = try Dataset.load(path, layout: .msd)
    let scans = DatasetCheck.files(of: dataset).joined().map {
      FileScan($0.path, isLabelMap: $0.isLabelMap)
    }
    let findings = DatasetCheck(dataset, scans: scans).findings
    #expect(findings.map(\.kind) == [.constant, .duplicate], "\(findings)")
    #expect(findings[0].problem.contains("channel t2 is 5.0"))
  }

  // MARK: - Corrected copies

  private func correct(_ check: DatasetCheck, into name: String) throws -> CorrectedFiles {
    let corrected = CorrectedFiles(check, root: data.path)
    try corrected.write(to: data.folder.file(name))
    return corrected
  }

  @Test func `copies are right, complete, and the data set stays as it is`() throws {
    var geometry = TinyDataset.geometry
    geometry.affine.origin[0] += 0.05
    try writeImage(geometry, to: data.label(1)) { Float(TinyDataset.labels[$0]) * 1.0000001 }
    try writeImage(to: data.image(2)) { $0 < 2 ? .nan : Float($0) }
    let before = try data.folder.bytes("labelsTr/case_1.nii.gz")
    let corrected = try correct(try check(), into: "copies")
    #expect(corrected.jobs.map(\.name) == ["imagesTr/case_2.nii.gz", "labelsTr/case_1.nii.gz"])
    #expect(corrected.uncorrected.isEmpty)
    #expect(try data.folder.bytes("labelsTr/case_1.nii.gz") == before)
    let map = try NIfTI.readLabels(data.folder.file("copies/labelsTr/case_1.nii.gz"))
    #expect(map.labels == TinyDataset.labels)
    let image = try NIfTI.readImage(data.folder.file("copies/imagesTr/case_2.nii.gz"))
    #expect(values(of: image.grid).prefix(4) == [0, 0, 2, 3])
    for name in corrected.jobs.map(\.name) {
      try FileManager.default.removeItem(atPath: data.folder.file(name))
      try FileManager.default.moveItem(
        atPath: data.folder.file("copies/\(name)"), toPath: data.folder.file(name))
    }
    #expect(try check().findings.isEmpty)
  }

  @Test func `a file with an error that takes a guess is left alone`() throws {
    try writeImage(to: data.label(1)) { $0 == 33 ? 9 : Float(TinyDataset.labels[$0]) * 1.0000001 }
    let corrected = try correct(try check(), into: "copies")
    #expect(corrected.jobs.isEmpty && corrected.uncorrected == [data.label(1)])
    #expect(!FileManager.default.fileExists(atPath: data.folder.file("copies")))
  }

  @Test func `a file that is in the way is kept and nothing is written`() throws {
    for index in [1, 2] { try writeImage(to: data.image(index)) { $0 == index ? .nan : Float($0) } }
    let check = try check()
    _ = try correct(check, into: "copies")
    _ = try correct(check, into: "copies")  // The same again is no conflict.
    try FileManager.default.removeItem(
      atPath: data.folder.file("copies/imagesTr/case_1.nii.gz"))
    try data.folder.write([1], to: "copies/imagesTr/case_2.nii.gz")
    #expect(message { _ = try correct(check, into: "copies") }.contains("is not replaced"))
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: data.folder.file("copies")).sorted()
        == ["imagesTr", "imagesTr/case_2.nii.gz"])
  }
}
