import Foundation
import TestSupport
import Testing

/// Runs that must agree to the bit, as a user sees them.
@Suite(.serialized) struct ExactnessCommandTests {
  private let data: TinyDataset

  // Of 8 subjects 7 train, so that steps of 4 patches end in one of 3.
  init() throws { data = try TinyDataset(subjects: 8) }

  /// Trains three epochs of two steps into `output`; four patches a step.
  private func train(
    _ output: String, ranks: Int, threads: Int = 1, _ more: String...
  ) throws {
    let settings = [
      "data.folds=8", "training.epochs=3", "training.stepsPerEpoch=null",
      "training.accumulate=\(4 / ranks)", "distributed.reproducible=true",
      "optimizer.maximumGradientNorm=1", "augmentation.preset=default",
    ]
    let result = try Command.run(
      ["/usr/bin/env", "mpirun", "-n", "\(ranks)", "--oversubscribe", Command.lkdist, "train"]
        + [data.configuration, "--output", data.folder.file(output), "--threads", "\(threads)"]
        + settings.flatMap { ["--set", $0] } + more)
    #expect(result.code == 0, "\(result.errors)")
  }

  /// The weights and moments, without the header, which names the configuration.
  private func tensors(_ run: String) throws -> Data {
    let path = data.folder.file("\(run)/checkpoints/last.safetensors")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return bytes.dropFirst(8 + length)
  }

  /// What the metrics say but for the times.
  private func metrics(_ run: String) throws -> [String] {
    try String(contentsOfFile: data.folder.file("\(run)/metrics.jsonl"), encoding: .utf8)
      .split(separator: "\n").map { line in
        String(line.prefix(upTo: line.range(of: ", \"seconds\"")?.lowerBound ?? line.endIndex))
      }
  }

  @Test func `1, 2 and 4 ranks and any threads give the same bits`() throws {
    try train("one", ranks: 1, threads: 3)
    try train("two", ranks: 2, threads: 2)
    try train("four", ranks: 4)
    let expected = try tensors("one")
    #expect(try tensors("two") == expected)
    #expect(try tensors("four") == expected)
    let lines = try metrics("one")
    #expect(lines.count == 3 * 2 + 3)
    #expect(try metrics("two") == lines)
    #expect(try metrics("four") == lines)
  }

  @Test func `a run goes on with other ranks, shards and threads and gives the same bits`() throws {
    try train("whole", ranks: 1)
    try train("parts", ranks: 4, "--max-steps", "2", "--set", "optimizer.shard=true")
    try train("parts", ranks: 2, threads: 2, "--max-steps", "3")
    try train("parts", ranks: 1)
    #expect(try tensors("parts") == tensors("whole"))
    #expect(try metrics("parts") == metrics("whole"))
  }

  @Test func `what exactness and shards cost is said`() throws {
    try train("run", ranks: 2, "--set", "optimizer.shard=true", "--max-steps", "1")
    let log = try String(contentsOfFile: data.folder.file("run/train.log"), encoding: .utf8)
    #expect(
      log.contains("reproducible: the same bits for any ranks x accumulate = 4; 1 more block"))
    #expect(log.contains("sharded: Adam's moments take "))
  }

  @Test func `ranks whose samples do not fill a branch end with code 78`() throws {
    let result = try Command.lkdist(
      ranks: 2, "train", data.configuration, "--set", "distributed.reproducible=true", "--set",
      "training.accumulate=3", "--output", data.folder.file("run"))
    #expect(result.code == 78, "\(result.errors)")
    #expect(result.errors.contains("training.accumulate: 3 patches a rank"))
    #expect(!FileManager.default.fileExists(atPath: data.folder.file("run")))
  }
}
