import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

@Suite struct CheckpointTests {
  private let weights = sampleTensors([("encoder.0.weight", [4, 2, 3]), ("encoder.0.bias", [4])])
  private let first = sampleTensors(
    [("encoder.0.weight", [4, 2, 3]), ("encoder.0.bias", [4])], offset: 10)
  private let second = sampleTensors(
    [("encoder.0.weight", [4, 2, 3]), ("encoder.0.bias", [4])], offset: 20)
  private var metadata: CheckpointMetadata {
    var configuration = Configuration()
    configuration.data.path = "/data/Task"
    configuration.optimizer.learningRate = 1.0 / 3
    return CheckpointMetadata(
      state: CheckpointState(
        step: 12, epoch: 3, patchesInEpoch: 2, patchesOfEpoch: 7, bestScore: 0.1 + 0.2,
        bestEpoch: 2, ranks: 2,
        seed: 42),
      configuration: configuration,
      labels: .array([["value": .integer(1), "name": .string("hippocampus")]]),
      intensities: ["mean": .number(0.5)])
  }

  private func writeLast(_ path: String) throws {
    try Checkpoint.write(
      to: path, weights: weights, first: first, second: second, metadata: metadata)
  }

  @Test func `the last checkpoint gives everything back`() throws {
    let folder = try TemporaryFolder()
    try writeLast(folder.file("last"))
    let checkpoint = try Checkpoint(folder.file("last"))
    let (w, m, v) = (blanks(weights), blanks(first), blanks(second))
    try checkpoint.load(weights: w, first: m, second: v)
    #expect(values(w) == values(weights))
    #expect(values(m) == values(first))
    #expect(values(v) == values(second))
    #expect(try checkpoint.metadata() == metadata)
    #expect(checkpoint.isResumable)
  }

  @Test func `metadata are JSON text and tensors have the contract's names`() throws {
    let folder = try TemporaryFolder()
    try writeLast(folder.file("last"))
    let file = try SafetensorsFile(folder.file("last"))
    let keys = ["configuration", "format", "intensities", "labels", "sha256", "state"]
    #expect(file.metadata.keys.sorted() == keys)
    for text in file.metadata.values { _ = try JSON.parse(text) }
    #expect(
      file.entries.map(\.name) == [
        "encoder.0.weight", "encoder.0.bias", "optimizer.first.encoder.0.weight",
        "optimizer.first.encoder.0.bias", "optimizer.second.encoder.0.weight",
        "optimizer.second.encoder.0.bias",
      ])
  }

  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../scripts/check-safetensors.py").path
  private static let hasPython = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: $0 + "/python3")
    }

  @Test(.enabled(if: hasPython, "python3 is not installed"))
  func `Python reads the same tensors, metadata and checksum`() throws {
    let folder = try TemporaryFolder()
    try writeLast(folder.file("last"))
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", Self.script, folder.file("last")]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(
      text.contains(
        "optimizer.second.encoder.0.weight: (4, 2, 3), first values (20.0, 20.125, 20.25)"))
  }

  @Test func `a run goes on only with the same model and labels`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("last")
    try writeLast(path)
    let checkpoint = try Checkpoint(path)
    var configuration = metadata.configuration
    configuration.training.epochs = 7
    let state = try checkpoint.resumableState(with: configuration, labels: metadata.labels)
    #expect(state == metadata.state)
    let advice = "; go back to what it was, or choose another output folder"
    #expect(
      throws: TrainingError.configuration(
        "the checkpoint \(path) was made with other labels\(advice)")
    ) { try checkpoint.resumableState(with: configuration, labels: .array([])) }
    configuration.model.channels = 16
    #expect(
      throws: TrainingError.configuration(
        "the checkpoint \(path) was made with model.channels 32, now it is 16\(advice)")
    ) { try checkpoint.resumableState(with: configuration, labels: metadata.labels) }
    try Checkpoint.write(to: path, weights: weights, metadata: metadata)
    #expect(
      throws: TrainingError.configuration(
        "the checkpoint \(path) holds weights only: a run cannot go on from it, but can start from "
          + "it with --weights")
    ) {
      try Checkpoint(path).resumableState(with: metadata.configuration, labels: metadata.labels)
    }
  }

  @Test func `weights are read from either checkpoint`() throws {
    let folder = try TemporaryFolder()
    try writeLast(folder.file("last"))
    try Checkpoint.write(to: folder.file("best"), weights: weights, metadata: metadata)
    for name in ["last", "best"] {
      let read = blanks(weights)
      try Checkpoint(folder.file(name)).load(weights: read)
      #expect(values(read) == values(weights))
    }
    #expect(try !Checkpoint(folder.file("best")).isResumable)
  }

  @Test func `weights from elsewhere have no metadata and no checksum`() throws {
    let folder = try TemporaryFolder()
    try Safetensors.write(weights, metadata: [], to: folder.file("torch"))
    let checkpoint = try Checkpoint(folder.file("torch"))
    #expect(try checkpoint.metadata() == nil)
    try checkpoint.load(weights: blanks(weights))
  }

  @Test(arguments: [
    (
      [("encoder.0.weight", [4, 3, 3]), ("encoder.0.bias", [4])],
      "'encoder.0.weight' is 4x2x3 in the file, 4x3x3 in the model"
    ),
    (
      [("encoder.0.weight", [4, 2, 3]), ("encoder.0.bias", [4]), ("head.bias", [2])],
      "'head.bias' is not in the file, 2 in the model"
    ),
    (
      [("encoder.0.weight", [4, 2, 3])],
      "'encoder.0.bias' is 4 in the file, not in the model"
    ),
  ])
  func `another architecture is named by its first difference`(
    shapes: [(String, [Int])], difference: String
  ) throws {
    let folder = try TemporaryFolder()
    try writeLast(folder.file("last"))
    let message =
      "the checkpoint \(folder.file("last")) is of another architecture: tensor "
      + "\(difference); use the configuration it was trained with, or another output folder"
    let checkpoint = try Checkpoint(folder.file("last"))
    #expect(throws: TrainingError.configuration(message)) {
      try checkpoint.load(weights: sampleTensors(shapes))
    }
  }

  @Test func `a best checkpoint cannot be resumed from`() throws {
    let folder = try TemporaryFolder()
    try Checkpoint.write(to: folder.file("best"), weights: weights, metadata: metadata)
    let checkpoint = try Checkpoint(folder.file("best"))
    #expect(throws: TrainingError.self) {
      try checkpoint.load(weights: weights, first: first, second: second)
    }
  }

  @Test func `a single changed bit of the data is found`() throws {
    let folder = try TemporaryFolder()
    try writeLast(folder.file("last"))
    var bytes = try folder.bytes("last")
    bytes[bytes.count - 5] ^= 1
    try folder.write(bytes, to: "last")
    let damage = TrainingError.damaged(
      file: folder.file("last"), reason: "its data do not match their checksum")
    let checkpoint = try Checkpoint(folder.file("last"))
    #expect(throws: damage) { try checkpoint.load(weights: blanks(weights)) }
    #expect(throws: damage) { try checkpoint.verify() }
  }

  @Test func `a missing checkpoint is missing and a later format is not guessed`() throws {
    #expect(throws: TrainingError.missing("no checkpoint at /nowhere/a: check the path")) {
      try Checkpoint("/nowhere/a")
    }
    let folder = try TemporaryFolder()
    try Safetensors.write(weights, metadata: [("format", "2")], to: folder.file("later"))
    let message =
      "the checkpoint \(folder.file("later")) has format 2, this lkdist reads up to 1: "
      + "use the lkdist that wrote it"
    #expect(throws: TrainingError.configuration(message)) { try Checkpoint(folder.file("later")) }
  }
}

@Suite struct AtomicFileTests {
  @Test func `a failure on the way leaves the old file and no temporary`() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder.file("a"), kind: "checkpoint")
    let error = #expect(throws: TrainingError.self) {
      try AtomicFile.write(folder.file("a"), kind: "checkpoint") { file throws(FileError) in
        try file.write("half of the ne")
        // The system's own refusal: this device is always full.
        try OutputFile("/dev/full", flags: 0).write("w file")
      }
    }
    let message = error?.description ?? ""
    #expect(
      message.hasPrefix(
        "cannot write the checkpoint \(folder.file("a")): No space left on device ("))
    #expect(
      message.hasSuffix(
        " MiB are free); a checkpoint that was there before is untouched: make room or check the "
          + "folder's permissions"))
    #expect(try folder.text("a") == "old")
    #expect(folder.names == ["a"])
  }

  @Test func `a leftover of a crash is no obstacle`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: ".a.partial")
    try AtomicFile.write("new", to: folder.file("a"), kind: "file")
    #expect(try folder.text("a") == "new")
    #expect(folder.names == ["a"])
  }

  @Test func `a folder in the way is reported`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("a"), withIntermediateDirectories: true)
    #expect(throws: TrainingError.self) {
      try AtomicFile.write("new", to: folder.file("a"), kind: "file")
    }
    #expect(folder.names == ["a"])
    #expect(throws: TrainingError.self) {
      try AtomicFile.write("new", to: folder.file("missing/a"), kind: "file")
    }
  }

  @Test func `the mode follows the umask`() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("new", to: folder.file("a"), kind: "file")
    try folder.write([], to: "b")
    let plain = try OutputFile(folder.file("c"), flags: O_CREAT)
    try plain.write("c")
    let modes = try ["a", "c"].map {
      try FileManager.default.attributesOfItem(atPath: folder.file($0))[.posixPermissions] as? Int
    }
    #expect(modes[0] == modes[1])
    #expect((modes[0] ?? 0) & 0o600 == 0o600)
  }
}
