import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// `lkdist predict --save-attention`, on a network of one step.
@Suite(.serialized) struct AttentionCommandTests {
  private let data: TinyDataset
  private var output: String { data.folder.file("out") }
  private var folder: String { output + "/attention" }

  init() throws {
    data = try TinyDataset()
    try train("run")
  }

  private func train(_ run: String, _ more: String...) throws {
    let result = try Command.run(
      [
        Command.lkdist, "train", data.configuration, "--output", data.folder.file(run), "--quiet",
        "--max-steps", "1",
      ] + more)
    #expect(result.code == 0, "\(result.errors)")
  }

  private func checkpoint(_ run: String) -> String {
    data.folder.file(run) + "/checkpoints/last.safetensors"
  }

  private func predict(_ more: String..., ranks: Int = 1) throws -> Command.Result {
    let launcher = ["/usr/bin/env", "mpirun", "-n", "\(ranks)", "--oversubscribe"]
    return try Command.run(
      (ranks > 1 ? launcher : []) + [
        Command.lkdist, "predict", "--checkpoint", checkpoint("run"), "-i", data.image(0), "-o",
        output, "--overwrite",
      ] + more)
  }

  private func bytes(_ names: [String]) throws -> [Data] {
    try names.map { try Data(contentsOf: URL(fileURLWithPath: "\(output)/\($0)")) }
  }

  @Test func `maps of the mean and of channels lie on the input's grid`() throws {
    let result = try predict("--save-attention", "--attention-channels", "0,5")
    #expect(result.code == 0, "\(result.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(
      names == [
        "case_0_scale0.nii.gz", "case_0_scale0.png", "case_0_scale0_channel0.nii.gz",
        "case_0_scale0_channel5.nii.gz",
      ])
    for name in names where name.hasSuffix(".nii.gz") {
      let map = try NIfTI.readImage("\(folder)/\(name)")
      #expect(map.geometry.matches(TinyDataset.geometry))
      #expect(map.grid.values.allSatisfy { (0...1).contains($0) })
      #expect(Set(map.grid.values).count > 100)
    }
  }

  @Test func `label maps and probabilities are the same with them, to the bit`() throws {
    let files = ["case_0.nii.gz", "probabilities/case_0.nii.gz"]
    #expect(try predict("--mirror", "--save-probabilities").code == 0)
    let before = try bytes(files)
    #expect(try predict("--mirror", "--save-probabilities", "--save-attention").code == 0)
    #expect(try bytes(files) == before)
  }

  @Test func `mirroring changes them, a second rank does not`() throws {
    let files = ["attention/case_0_scale0.nii.gz", "attention/case_0_scale0.png"]
    #expect(try predict("--save-attention").code == 0)
    let plain = try bytes(files)
    #expect(try predict("--save-attention", "--mirror").code == 0)
    let mirrored = try bytes(files)
    #expect(mirrored != plain)
    let shared = try predict("--save-attention", "--mirror", ranks: 2)
    #expect(shared.code == 0, "\(shared.errors)")
    #expect(try bytes(files) == mirrored)
  }

  @Test func `maps of several checkpoints are averaged where their modules are the same`() throws {
    try train("other", "--seed", "5")
    func values(_ result: Command.Result) throws -> [Float] {
      #expect(result.code == 0, "\(result.errors)")
      return Array(try NIfTI.readImage(folder + "/case_0_scale0.nii.gz").grid.values)
    }
    let first = try values(try predict("--save-attention"))
    let both = try values(try predict("--save-attention", "--checkpoint", checkpoint("other")))
    #expect(first != both)
    try train("full", "--set", "model.attention=full", "--set", "model.scales=3")
    let result = try predict("--save-attention", "--checkpoint", checkpoint("full"))
    #expect(result.code == 78)
    #expect(result.errors.contains("attention at other scales"), "\(result.errors)")
    try train("cbam", "--set", "model.attention=cbam")
    let none = try predict("--save-attention", "--checkpoint", checkpoint("cbam"))
    #expect(none.code == 78 && none.errors.contains("no large-kernel attention"), "\(none.errors)")
  }

  @Test func `channels that there are not are refused`() throws {
    let far = try predict("--save-attention", "--attention-channels", "16")
    #expect(far.code == 78 && far.errors.contains("channels 0 to 15"))
    #expect(try predict("--attention-channels", "1").code == 64)
    #expect(try predict("--save-attention", "--attention-channels", "a").code == 64)
  }
}
