import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// A snapshot of a small network after `step` steps; its tensors tell the step.
private func snapshot(_ step: Int) -> CheckpointSnapshot {
  let shapes = [("encoder.0.weight", [4, 2, 3]), ("encoder.0.bias", [4])]
  var configuration = Configuration()
  configuration.data.path = "/data/Task"
  return CheckpointSnapshot(
    weights: sampleTensors(shapes, offset: Float(step)),
    first: sampleTensors(shapes, offset: 100), second: sampleTensors(shapes, offset: 200),
    metadata: CheckpointMetadata(
      state: CheckpointState(step: step, epoch: 0, ranks: 1, seed: 42),
      configuration: configuration, labels: .array([])))
}

@Suite struct CheckpointFolderTests {
  private let temporary: TemporaryFolder
  private let folder: CheckpointFolder

  init() throws {
    temporary = try TemporaryFolder()
    folder = CheckpointFolder(temporary.path)
  }

  private func write(_ steps: ClosedRange<Int>, keep: Int) {
    let writer = CheckpointWriter(folder, keep: keep)
    for step in steps {
      writer.start(snapshot(step), as: [.last]) { Issue.record("\($0)") }
      #expect(writer.wait() == nil)
    }
  }

  private func step(_ path: String) throws -> Int? { try Checkpoint(path).metadata()?.state.step }

  private func flipBit(of name: String) throws {
    var bytes = try temporary.bytes(name)
    bytes[bytes.count - 5] ^= 1
    try temporary.write(bytes, to: name)
  }

  @Test func `the newest checkpoints are kept, newest first`() throws {
    write(1...2, keep: 3)
    #expect(temporary.names == ["last-1.safetensors", "last.safetensors"])
    write(3...5, keep: 3)
    #expect(try folder.resumable.map(step) == [5, 4, 3])
    write(6...6, keep: 2)
    #expect(try folder.resumable.map(step) == [6, 5])
    write(7...7, keep: 1)
    #expect(temporary.names == ["last.safetensors"])
  }

  @Test func `more than nine are kept in the order of their age`() throws {
    write(1...14, keep: 12)
    #expect(try folder.resumable.map(step) == Array((3...14).reversed()))
  }

  @Test func `the newest one is there while the next takes its place`() throws {
    write(1...2, keep: 3)
    let next = snapshot(3)
    try Checkpoint.write(
      to: folder.last, weights: next.weights, metadata: next.metadata,
      willReplace: { () throws(FileError) in
        try folder.makeRoom(keeping: 3)
        #expect(folder.resumable.compactMap { try? step($0) } == [2, 2, 1])
      })
    #expect(try folder.resumable.map(step) == [3, 2, 1])
  }

  @Test func `without a last one the one before is chosen`() throws {
    #expect(try folder.newestWhole() == nil)
    write(1...2, keep: 2)
    #expect(try folder.newestWhole()?.path == folder.last)
    try FileManager.default.removeItem(atPath: folder.last)
    #expect(try folder.newestWhole()?.path == folder.earlier(1))
  }

  @Test func `a changed bit falls back to the one before, and goes out of the way`() throws {
    write(1...2, keep: 2)
    try flipBit(of: "last.safetensors")
    let choice = try #require(try folder.newestWhole())
    #expect(choice.path == folder.earlier(1))
    #expect(
      choice.damaged.map { [$0.path, $0.reason] }
        == [[folder.last, "its data do not match their checksum"]])
    #expect(folder.setAside(choice.damaged[0]) == folder.last + ".damaged")
    write(3...3, keep: 2)
    #expect(try folder.resumable.map(step) == [3, 1])
  }

  @Test(arguments: [0, 4, 300, 2000])
  func `a file cut short falls back to the one before`(bytes: Int) throws {
    write(1...2, keep: 2)
    let whole = try temporary.bytes("last.safetensors")
    try temporary.write(Array(whole.prefix(min(bytes, whole.count - 1))), to: "last.safetensors")
    #expect(try folder.newestWhole()?.path == folder.earlier(1))
  }

  @Test func `with none that is whole the error names all and says what to do`() throws {
    write(1...2, keep: 2)
    try flipBit(of: "last.safetensors")
    try temporary.write([1, 2], to: "last-1.safetensors")
    let error = #expect(throws: TrainingError.self) { try folder.newestWhole() }
    for text in [folder.last, folder.earlier(1), "checksum", "--resume never", folder.best] {
      #expect(error?.description.contains(text) == true, "\(text)")
    }
    #expect(error?.exitCode == .inputOutput)
  }

  @Test func `a state that cannot be is damage`() throws {
    var impossible = snapshot(1)
    var metadata = impossible.metadata
    metadata.state.patchesInEpoch = 3
    impossible = CheckpointSnapshot(weights: impossible.weights, metadata: metadata)
    let writer = CheckpointWriter(folder, keep: 1)
    writer.start(impossible, as: [.last]) { Issue.record("\($0)") }
    #expect(writer.wait() == nil)
    #expect(throws: TrainingError.damaged(file: folder.last, reason: "its state is garbled")) {
      try Checkpoint(folder.last).verify()
    }
  }
}

@Suite struct CheckpointWriterTests {
  @Test func `best comes before last, and one that fails leaves the other and no leftovers`() throws
  {
    let temporary = try TemporaryFolder()
    let folder = CheckpointFolder(temporary.path)
    let writer = CheckpointWriter(folder, keep: 1)
    writer.start(snapshot(1), as: [.best, .last]) { Issue.record("\($0)") }
    #expect(writer.wait() == nil)
    let last = try temporary.bytes("last.safetensors")
    // A folder in the way cannot be replaced by a file.
    try FileManager.default.removeItem(atPath: folder.best)
    try FileManager.default.createDirectory(
      atPath: folder.best + "/in the way", withIntermediateDirectories: true)
    let reported = Messages()
    writer.start(snapshot(2), as: [.best, .last]) { reported.add("\($0)") }
    #expect(writer.wait()?.kind == .best)
    #expect(writer.wait() == nil)
    #expect(reported.all.count == 1)
    #expect(reported.all.first?.contains(folder.best) == true)
    #expect(try temporary.bytes("last.safetensors") == last)
    #expect(temporary.names == ["best.safetensors", "last.safetensors"])
    writer.start(snapshot(3), as: [.last]) { Issue.record("\($0)") }
    #expect(writer.wait() == nil)
    #expect(try Checkpoint(folder.last).metadata()?.state.step == 3)
  }

  @Test func `copies stay while training goes on, and their memory is used again`() {
    let live = [FloatBuffer(zeros: 5), FloatBuffer(zeros: 3)]
    live[0].pointer[4] = 7
    var memory = SnapshotMemory()
    let copies = memory.copies(of: live)
    live[0].pointer[4] = 8
    live[1].pointer[0] = 9
    #expect(Array(copies[0].slice.values) == [0, 0, 0, 0, 7])
    #expect(Array(copies[1].slice.values) == [0, 0, 0])
    let weights = memory.copies(of: [live[0]])
    #expect(weights.count == 1)
    #expect(weights[0] === copies[0])
    #expect(weights[0].pointer[4] == 8)
  }
}

@Suite struct CheckpointStateTests {
  @Test func `the schedule stands at the share of the patches of the run`() {
    var state = CheckpointState(step: 0, epoch: 0, ranks: 3, seed: 1)
    #expect(state.progress(of: 7) == 0)
    state.patchesOfEpoch = 13
    for done in 0..<91 {
      (state.epoch, state.patchesInEpoch) = (done / 13, done % 13)
      #expect(state.progress(of: 7) == Double(done) / 91)
    }
  }

  @Test func `the share does not jump where an epoch has another length`() {
    var state = CheckpointState(step: 9, epoch: 2, ranks: 3, seed: 1)
    for (length, done) in [(12, 12), (12, 0), (4, 0), (100, 0)] {
      (state.patchesOfEpoch, state.patchesInEpoch) = (length, done)
      #expect(state.progress(of: 8) == (done == 12 ? 0.375 : 0.25))
    }
  }
}

/// Messages of another thread.
private final class Messages: @unchecked Sendable {
  private let lock = NSLock()
  private var messages: [String] = []

  var all: [String] { lock.withLock { messages } }

  func add(_ message: String) { lock.withLock { messages.append(message) } }
}
