import Foundation
import TestSupport
import Testing

/// A trained network on its way to others and back.
@Suite(.serialized) struct ExportCommandTests {
  private let data: TinyDataset
  private var best: String { data.folder.file("run/checkpoints/best.safetensors") }

  init() throws {
    data = try TinyDataset()
    let result = try Command.lkdist(
      "train", data.configuration, "--output", data.folder.file("run"))
    #expect(result.code == 0, "\(result.errors)")
  }

  private func file(_ name: String) -> String { data.folder.file(name) }

  private func predict(_ checkpoint: String, to output: String) throws -> [UInt8] {
    let result = try Command.lkdist(
      "predict", "--checkpoint", checkpoint, "-i", data.image(0), "-o", file(output))
    #expect(result.code == 0, "\(result.errors)")
    return try data.folder.bytes(output)
  }

  @Test func `everything is exported in one call, and nothing is replaced unasked`() throws {
    let words = [
      "export", best, "--safetensors", file("w.safetensors"), "--onnx", file("m.onnx"),
      "--attention", "--card", file("card.md"), "--sample", file("sample.safetensors"),
    ]
    let result = try Command.run([Command.lkdist] + words)
    #expect(result.code == 0, "\(result.errors)")
    let names = ["card.md", "m.onnx", "sample.safetensors", "w.safetensors"]
    for name in names { #expect(data.folder.names.contains(name)) }
    let sample = try data.folder.bytes("sample.safetensors").prefix(400)
    for name in ["image", "logits", "attention_0"] {
      #expect(String(decoding: sample, as: UTF8.self).contains("\"\(name)\""))
    }
    try data.folder.write([], to: "card.md")
    try FileManager.default.removeItem(atPath: file("m.onnx"))
    let again = try Command.run([Command.lkdist] + words)
    #expect(again.code == 74 && again.errors.contains("w.safetensors exists"), "\(again.errors)")
    #expect(!data.folder.names.contains("m.onnx"))
    #expect(try Command.run([Command.lkdist] + words + ["--overwrite"]).code == 0)
    #expect(try !data.folder.bytes("card.md").isEmpty)
  }

  @Test func `the card tells data, scores, use, limits and licence`() throws {
    let result = try Command.lkdist("export", best, "--card", file("card.md"))
    #expect(result.code == 0, "\(result.errors)")
    let card = try data.folder.text("card.md")
    for part in [
      "# tiny\n", "Segments box in 3-D images of 1 channel.", "fold 0 of 3",
      "orientation RAS, spacing as stored", "patches of [16, 16, 16] voxels", "| box | ",
      "| mean of the classes | ", "2 of 2 epochs, 6 steps, 1 rank, seed 42", "## Intended use",
      "## Limits", "not for diagnosis", "## Licence",
    ] {
      #expect(card.contains(part), "\(part) is not in \(card)")
    }
  }

  @Test func `exported weights come back as a checkpoint that predicts the same`() throws {
    let exported = try Command.lkdist(
      "export", file("run/checkpoints/last.safetensors"), "--safetensors", file("w.safetensors"))
    #expect(exported.code == 0, "\(exported.errors)")
    let expected = try predict(best, to: "a.nii")
    for source in [["--like", best], ["--config", data.configuration]] {
      let result = try Command.run(
        [Command.lkdist, "import", file("w.safetensors"), "-o", file("back.safetensors")] + source
          + ["--overwrite"])
      #expect(result.code == 0, "\(result.errors)")
      let last = try predict(file("run/checkpoints/last.safetensors"), to: "b.nii")
      #expect(try predict(file("back.safetensors"), to: "c.nii") == last)
      try FileManager.default.removeItem(atPath: file("b.nii"))
      try FileManager.default.removeItem(atPath: file("c.nii"))
    }
    #expect(!expected.isEmpty)
  }

  @Test func `weights of another network are refused with the tensor's name`() throws {
    let result = try Command.lkdist(
      "import", best, "--config", data.configuration, "--set", "model.maximumChannels=16", "-o",
      file("back.safetensors"))
    #expect(result.code == 78, "\(result.errors)")
    #expect(
      result.errors.contains("tensor 'down.0.weight' is 32x16x3x3x3 in the file, 16x16x3x3x3"))
    #expect(!data.folder.names.contains("back.safetensors"))
  }

  @Test func `weights that are not finite are refused`() throws {
    var bytes = try data.folder.bytes("run/checkpoints/best.safetensors")
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xc0, 0x7f])
    // Without its metadata, and so its checksum, the file is one from elsewhere.
    let text = String(decoding: bytes.prefix(40_000), as: Unicode.ASCII.self)
    let key = try #require(text.range(of: "\"sha256\""))
    let start = text.distance(from: text.startIndex, to: key.lowerBound)
    bytes.replaceSubrange(start + 1..<start + 7, with: Array("noneof".utf8))
    try data.folder.write(bytes, to: "nan.safetensors")
    let result = try Command.lkdist(
      "import", file("nan.safetensors"), "--like", best, "-o", file("back.safetensors"))
    #expect(result.code == 65 && result.errors.contains("not finite"), "\(result.errors)")
  }

  @Test func `a call that says not enough is a usage error`() throws {
    #expect(try Command.lkdist("export", best).code == 64)
    #expect(try Command.lkdist("export", best, "--card", "a", "--attention").code == 64)
    #expect(try Command.lkdist("export", best, "--card", "a", "--onnx", "a").code == 64)
    #expect(try Command.lkdist("import", best, "-o", "a").code == 64)
    #expect(try Command.lkdist("export", file("none"), "--card", file("a")).code == 66)
  }

  @Test func `a run leaves an event file for each start`() throws {
    func files() -> [String] {
      let names = try? FileManager.default.contentsOfDirectory(atPath: file("run"))
      return (names ?? []).filter { $0.hasPrefix("events.out.tfevents.") }
    }
    #expect(files().count == 1)
    let words = ["train", data.configuration, "--output", file("run")]
    let result = try Command.run(
      [Command.lkdist] + words + ["--set", "training.epochs=3"])
    #expect(result.code == 0, "\(result.errors)")
    #expect(files().count == 2)
  }
}
