import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// Bad input ends with a message that names it and the exit code of its kind; nothing hangs.
@Suite(.serialized) struct BadInputTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  private func train(_ arguments: String...) throws -> Command.Result {
    try Command.run(
      [Command.lkdist, "train", data.configuration, "--output", data.folder.file("run")] + arguments
    )
  }

  private func expect(
    _ result: Command.Result, code: Int32, _ parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
    }
  }

  @Test func `an unknown command is a usage error`() throws {
    expect(try Command.lkdist("tarin"), code: 64, "tarin")
  }

  @Test func `a time limit that is no number of seconds is refused`() throws {
    let result = try Command.run([
      "/usr/bin/env", "LKDIST_TIME_LIMIT=2h", Command.lkdist, "train", data.configuration,
    ])
    expect(result, code: 64, "LKDIST_TIME_LIMIT", "'2h'")
  }

  @Test func `a missing configuration is named`() throws {
    expect(try Command.lkdist("train", "nowhere.yaml"), code: 66, "nowhere.yaml", "lkdist init")
  }

  @Test func `an unknown key is named with its line and the nearest valid key`() throws {
    let text = try String(contentsOfFile: data.configuration, encoding: .utf8)
    try (text + "\ntrainig: {epochs: 3}\n").write(
      toFile: data.configuration, atomically: true, encoding: .utf8)
    expect(try train(), code: 78, "lkdist.yaml, line 6", "'trainig'", "'training'")
  }

  @Test func `a patch size that the scales do not divide is refused`() throws {
    expect(try train("--set", "data.patchSize=[15, 16, 16]"), code: 78, "patchSize", "15", "16")
  }

  @Test func `a missing image is named`() throws {
    try FileManager.default.removeItem(atPath: data.image(1))
    expect(try train(), code: 66, "case_1.nii.gz")
  }

  @Test func `an image and a label on different grids are both named`() throws {
    var geometry = TinyDataset.geometry
    geometry.affine.origin[0] += 5
    try NIfTI.write(LabelMap(labels: TinyDataset.labels, geometry: geometry), to: data.label(2))
    expect(try train(), code: 65, "imagesTr/case_2.nii.gz", "labelsTr/case_2.nii.gz", "grid")
  }

  @Test func `voxels that are not numbers are counted and named`() throws {
    var values = [Float](repeating: 1, count: TinyDataset.extent.voxels)
    values[100] = .nan
    let grid = VoxelGrid(Shape(channels: 1, extent: TinyDataset.extent), values: values)
    try NIfTI.write(Volume(grid: grid, geometry: TinyDataset.geometry), to: data.image(1))
    expect(try train(), code: 65, "case_1.nii.gz", "NaN")
  }

  @Test func `a checkpoint of another architecture is refused`() throws {
    #expect(try train("--max-steps", "1").code == 0)
    expect(
      try train("--set", "model.channels=32"), code: 78, "last.safetensors",
      "model.channels 16, now it is 32")
  }

  @Test func `an output folder that cannot be made is named`() throws {
    let result = try Command.lkdist(
      "train", data.configuration, "--output", data.folder.file("dataset.json/run"))
    expect(result, code: 74, "dataset.json/run", "--output")
  }

  @Test func `a bad image on one rank ends the job with that rank's message`() throws {
    try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(2)))
    let result = try Command.lkdist(
      ranks: 2, "train", data.configuration, "--output", data.folder.file("run"))
    expect(result, code: 65, "rank ", "case_2.nii.gz")
  }
}
