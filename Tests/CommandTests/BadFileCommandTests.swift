import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// Damaged and unsuitable files: `check` lists them, `train` ends with their message and code.
@Suite(.serialized) struct BadFileCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  /// Expects that both commands name the file and what is wrong with it.
  private func expect(
    _ file: String, _ part: String, trainCode: Int32 = 65,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let check = try Command.lkdist("check", data.path)
    #expect(check.code == 65, "\(check.errors)", sourceLocation: sourceLocation)
    #expect(
      check.output.contains(file) && check.output.contains(part), "\(check.output)",
      sourceLocation: sourceLocation)
    let train = try self.train()
    #expect(train.code == trainCode, "\(train.errors)", sourceLocation: sourceLocation)
    #expect(
      train.errors.contains(file) && train.errors.contains(part), "\(train.errors)",
      sourceLocation: sourceLocation)
  }

  private func train() throws -> Command.Result {
    try Command.lkdist("train", data.configuration, "--output", data.folder.file("run"))
  }

  /// What a command says of data that is not there or not described: the code and the message.
  private func expectRefusal(
    of path: String, code: Int32, _ parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Command.lkdist("check", path)
    #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
    }
  }

  /// Makes subject 1's image a copy of subject 0's without compression, with bytes replaced.
  private func patchImage(_ offset: Int, _ bytes: [UInt8]) throws {
    let plain = data.folder.file("plain.nii")
    try NIfTI.write(try NIfTI.readImage(data.image(0)), to: plain)
    var file = try data.folder.bytes("plain.nii")
    file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    try data.folder.write(file, to: "imagesTr/case_1.nii.gz")
  }

  private func shorts(_ values: Int16...) -> [UInt8] {
    values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
  }

  private func floats(_ values: Float...) -> [UInt8] {
    values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
  }

  // MARK: - Files

  @Test func `a truncated gzip file is told`() throws {
    let bytes = try data.folder.bytes("imagesTr/case_1.nii.gz")
    try data.folder.write(Array(bytes.dropLast(9)), to: "imagesTr/case_1.nii.gz")
    try expect(data.image(1), "truncated")
  }

  @Test func `a flipped bit in a gzip file is told`() throws {
    var bytes = try data.folder.bytes("imagesTr/case_1.nii.gz")
    bytes[bytes.count / 2] ^= 4
    try data.folder.write(bytes, to: "imagesTr/case_1.nii.gz")
    try expect(data.image(1), "case_1.nii.gz")
    let check = try Command.lkdist("check", data.path)
    #expect(["damaged", "truncated"].contains { check.output.contains($0) }, "\(check.output)")
  }

  @Test func `a wrong magic is told`() throws {
    try patchImage(344, Array("abc".utf8))
    try expect(data.image(1), "not a NIfTI-1 file")
  }

  @Test func `a header that claims 2^40 voxels is refused in little memory`() throws {
    try patchImage(40, shorts(3, 16384, 16384, 4096))
    try expect(data.image(1), "16384x16384x4096")
    let result = try Command.run([
      "bash", "-c", "ulimit -v 2000000; exec \(Command.lkdist) check \(data.path)",
    ])
    #expect(result.code == 65, "\(result.errors)")
  }

  @Test func `negative sizes are told`() throws {
    try patchImage(40, shorts(3, -16, 16, 16))
    try expect(data.image(1), "dim lists the sizes [-16, 16, 16]")
  }

  @Test func `an extension past the end of the file is told`() throws {
    try patchImage(108, floats(100_000))
    try expect(data.image(1), "truncated")
    try patchImage(108, floats(1e11))
    try expect(data.image(1), "more than the")
  }

  @Test func `zero spacing is told`() throws {
    try patchImage(84, floats(0))
    try expect(data.image(1), "pixdim")
  }

  @Test func `a singular affine is told`() throws {
    try patchImage(280, floats(1, 2, 0, 0, 2, 4, 0, 0, 0, 0, 1, 0))
    try expect(data.image(1), "sform is singular")
  }

  @Test(arguments: [Int16(77), 32, 128])
  func `unknown, complex and RGB voxels are told`(type: Int16) throws {
    try patchImage(70, shorts(type))
    try expect(data.image(1), "datatype \(type) is not a plain number")
  }

  @Test func `a pipe among the images is refused without waiting for it`() throws {
    try FileManager.default.removeItem(atPath: data.image(1))
    #expect(mkfifo(data.image(1), 0o600) == 0)
    try expect(data.image(1), "pipe", trainCode: 74)
  }

  // MARK: - Labels

  private func writeLabels(_ value: (Int16) -> Float) throws {
    let shape = Shape(channels: 1, extent: TinyDataset.extent)
    let grid = VoxelGrid(shape, values: TinyDataset.labels.map(value))
    try NIfTI.write(Volume(grid: grid, geometry: TinyDataset.geometry), to: data.label(1))
  }

  @Test func `label 1.0000001 is label 1, and that is noted`() throws {
    try writeLabels { Float($0) * 1.0000001 }
    let check = try Command.lkdist("check", data.path)
    #expect(check.code == 0, "\(check.errors)")
    #expect(check.output.contains("343 voxels are within 0.001 of a label"), "\(check.output)")
    #expect(try train().code == 0)
  }

  @Test func `label 1_5 is none`() throws {
    try writeLabels { Float($0) * 1.5 }
    try expect(data.label(1), "no label")
  }

  @Test func `a label that is not listed is told`() throws {
    try writeLabels { Float($0) * 7 }
    try expect(data.label(1), "which the data set does not list (0, 1)")
  }

  // MARK: - Data sets

  @Test func `an image that one modality lacks is listed`() throws {
    let files = try LayoutFixtures(channels: 2, edge: 8)
    let path = try files.writeNNUNet([1, 2])
    try FileManager.default.removeItem(atPath: path + "/imagesTr/case_2_0001.nii.gz")
    try expectRefusal(of: path, code: 66, "1 file is missing", "case_2_0001.nii.gz")
  }

  @Test func `an empty folder is no data set`() throws {
    let folder = try TemporaryFolder()
    try expectRefusal(of: folder.path, code: 66, "holds no data set that lkdist knows")
  }

  @Test func `files that dataset json lists and are not there are listed`() throws {
    for index in [0, 2] { try FileManager.default.removeItem(atPath: data.label(index)) }
    try expectRefusal(
      of: data.path, code: 66, "2 files are missing", "labelsTr/case_0.nii.gz",
      "labelsTr/case_2.nii.gz")
  }

  @Test func `a dataset json that is no JSON, or not one of ours, is told with its place`() throws {
    try data.folder.write(Array("{\"name\": \"Tiny\",\n oops}".utf8), to: "dataset.json")
    try expectRefusal(of: data.path, code: 65, "dataset.json", "not valid JSON", "line 2")
    try data.folder.write(
      Array(#"{"modality": {"0": "CT"}, "labels": 3}"#.utf8), to: "dataset.json")
    try expectRefusal(of: data.path, code: 65, "key \"labels\"", "expected an object")
    let deep = String(repeating: "[", count: 100_000)
    try data.folder.write(Array(deep.utf8), to: "dataset.json")
    try expectRefusal(of: data.path, code: 65, "nested too deeply")
    try data.folder.write([0xff, 0xfe, 0], to: "dataset.json")
    try expectRefusal(of: data.path, code: 65, "not valid JSON")
  }

  @Test func `links in a circle are missing files, and folders are entered once`() throws {
    try FileManager.default.removeItem(atPath: data.image(1))
    try FileManager.default.createSymbolicLink(
      atPath: data.image(1), withDestinationPath: data.image(1))
    try expectRefusal(of: data.path, code: 66, "imagesTr/case_1.nii.gz")
    let files = try LayoutFixtures(channels: 4, edge: 8)
    let path = try files.writeBraTS([1, 2])
    try FileManager.default.createSymbolicLink(
      atPath: path + "/BraTS20_Training_001/again", withDestinationPath: path)
    let check = try Command.lkdist("check", path)
    #expect(check.code == 0 && check.output.contains("2 subjects, 10 files"), "\(check.output)")
  }

  @Test func `names with spaces and letters of other alphabets are names like others`() throws {
    let folder = data.folder.file("Daten für Übung 腦")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for part in ["imagesTr", "labelsTr"] {
      try FileManager.default.moveItem(
        atPath: data.folder.file(part), toPath: "\(folder)/\(part)")
      try FileManager.default.moveItem(
        atPath: "\(folder)/\(part)/case_1.nii.gz", toPath: "\(folder)/\(part)/Fall Nº 1 é.nii.gz")
    }
    let text = try data.folder.text("dataset.json")
      .replacingOccurrences(of: "case_1.nii.gz", with: "Fall Nº 1 é.nii.gz")
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/dataset.json"))
    let check = try Command.lkdist("check", folder)
    #expect(check.code == 0 && check.output.contains("3 subjects, 6 files"), "\(check.errors)")
    let train = try Command.lkdist(
      "train", data.configuration, "--data", folder, "--output", folder + "/Lauf 1", "--max-steps",
      "1", "--set", "data.fold=2")
    #expect(train.code == 0, "\(train.errors)")
  }
}
