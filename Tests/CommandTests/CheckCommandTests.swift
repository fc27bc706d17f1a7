import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// `lkdist check`, as a user runs it.
@Suite(.serialized) struct CheckCommandTests {
  private let data: TinyDataset
  private let copies: TemporaryFolder

  init() throws {
    data = try TinyDataset()
    copies = try TemporaryFolder()
  }

  private func write(_ value: (Int) -> Float, to path: String) throws {
    let shape = Shape(channels: 1, extent: TinyDataset.extent)
    let grid = VoxelGrid(shape, values: (0..<shape.count).map(value))
    try NIfTI.write(Volume(grid: grid, geometry: TinyDataset.geometry), to: path)
  }

  /// NaN in an image, a label that is not listed, a constant image.
  private func damage() throws {
    try write({ $0 == 5 ? .nan : Float($0) }, to: data.image(0))
    try write({ Float(TinyDataset.labels[$0]) + ($0 == 0 ? 9 : 0) }, to: data.label(1))
    try data.fillImage(2, with: 1)
  }

  private func json(_ result: Command.Result) throws -> JSON {
    try JSON.parse(result.output)
  }

  @Test func `a sound data set passes with its figures`() throws {
    let result = try Command.lkdist("check", data.path)
    #expect(result.code == 0, "\(result.errors)")
    for part in [
      "Tiny: 3 subjects, 6 files", "channels     MRI", "x 16 to 16 (median 16)",
      "spacing mm   x 2 to 2", "orientation  ALS 3", "layout msd",
      "0 errors, 0 warnings, 1 note\n",
    ] { #expect(result.output.contains(part), "\(result.output)") }
    #expect(result.output.contains("1 box") && result.output.contains("8.374 %"))
  }

  @Test func `what is wrong is listed with its fix and training's exit code`() throws {
    try damage()
    let result = try Command.lkdist("check", data.path)
    #expect(result.code == 65, "\(result.errors)")
    for part in [
      "error    case_0  \(data.image(0))\n         1 voxel is NaN or infinite\n         fix: ",
      "error    case_1  \(data.label(1))", "warning  case_2  \(data.image(2))",
      "2 errors, 1 warning, 1 note: training would refuse",
    ] { #expect(result.output.contains(part), "\(result.output)") }
    let quiet = try Command.lkdist("check", data.path, "--quiet")
    #expect(quiet.code == 65 && quiet.output.hasPrefix("error    case_0"), "\(quiet.output)")
    #expect(!quiet.output.contains("note"))
  }

  @Test func `ranks share the work and the root says the same as one alone`() throws {
    try damage()
    try FileManager.default.removeItem(atPath: data.image(1))
    try FileManager.default.copyItem(atPath: data.image(0), toPath: data.image(1))
    let alone = try Command.lkdist("check", data.path, "--json", "--threads", "2")
    let shared = try Command.lkdist(ranks: 2, "check", data.path, "--json")
    #expect(alone.code == 65 && shared.code == 65, "\(shared.errors)")
    #expect(alone.output == shared.output)
    let report = try json(alone)
    #expect(report["errors"]?.integer == 3 && report["warnings"]?.integer == 2)
    let kinds = report["findings"]?.array?.compactMap { $0["kind"]?.string }
    #expect(
      kinds == ["non-finite", "non-finite", "label-value", "constant", "duplicate", "dataset"])
    #expect(report["classes"]?.array?.count == 3)
  }

  @Test func `corrected copies go into a folder of their own`() throws {
    try damage()
    let result = try Command.lkdist("check", data.path, "--fix", copies.file("new"), "--json")
    #expect(result.code == 65, "\(result.errors)")
    let corrected = try json(result)["findings"]?.array?.compactMap { $0["corrected"]?.string }
    #expect(corrected == [copies.file("new/imagesTr/case_0.nii.gz")])
    #expect(copies.names == ["new"])
    #expect(
      try NIfTI.readImage(copies.file("new/imagesTr/case_0.nii.gz")).grid.shape.count == 4096)
    let text = try Command.lkdist("check", data.path, "--fix", copies.file("new"))
    #expect(text.output.contains("wrote corrected copies into"), "\(text.output)")
    #expect(text.output.contains("not corrected, for it would be a guess: \(data.label(1))"))
  }

  @Test func `a folder for copies within the data set is refused before anything is read`() throws {
    let link = copies.file("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: data.path)
    for folder in [data.path, data.folder.file("new/deep"), link + "/new"] {
      let result = try Command.lkdist("check", data.path, "--fix", folder)
      #expect(result.code == 64 && result.errors.contains("--fix"), "\(result.errors)")
    }
    #expect(!data.folder.names.contains("new"))
  }

  @Test func `copies that cannot be written are an error, with nothing left behind`() throws {
    try damage()
    try copies.write([], to: "file")
    let result = try Command.lkdist("check", data.path, "--fix", copies.file("file/new"))
    #expect(result.code == 74 && result.errors.contains("file/new"), "\(result.errors)")
    #expect(copies.names == ["file"])
  }

  @Test func `layouts and paths that are none are refused`() throws {
    #expect(try Command.lkdist("check", data.path, "--layout", "msdd").code == 64)
    #expect(try Command.lkdist("check", "/nowhere").code == 66)
    #expect(try Command.lkdist("check", copies.path).code == 66)
    #expect(try Command.lkdist("check", data.path, "--layout", "msd", "--json").code == 0)
  }

  @Test func `every layout is checked`() throws {
    let files = try LayoutFixtures(channels: 4, edge: 8)
    let organs = try LayoutFixtures(channels: 1, edge: 8)
    for path in [
      try files.writeMSD([1, 2]), try files.writeNNUNet([1, 2], tests: [3]),
      try files.writeBraTS([1, 2], tests: [3]), try files.writeDatalist([1, 2]),
      try organs.writeCTORG([3, 21]),
    ] {
      let report = try Command.lkdist("check", path, "--json")
      #expect(report.code == 0, "\(path): \(report.errors)\(report.output)")
      #expect(try json(report)["errors"]?.integer == 0)
    }
  }
}
