import Foundation
import Imaging
import TestSupport
import Testing

/// Prepared volumes on disk, through the command.
@Suite(.serialized) struct CacheCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  private func train(ranks: Int = 1, _ output: String, _ settings: String...) throws
    -> Command.Result
  {
    let words = ["/usr/bin/env", "mpirun", "-n", "\(ranks)", "--oversubscribe", Command.lkdist]
    let sets = settings.flatMap { ["--set", $0] }
    return try Command.run(
      words + ["train", data.configuration, "--output", data.folder.file(output)] + sets)
  }

  private func weights(_ run: String) throws -> Data {
    try Data(
      contentsOf: URL(fileURLWithPath: data.folder.file("\(run)/checkpoints/best.safetensors"))
    ).suffix(100_000)
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: data.folder.file(folder)).sorted()
  }

  @Test(arguments: [1, 2])
  func `a run gives the same weights with and without a cache`(ranks: Int) throws {
    let none = try train(ranks: ranks, "none", "data.cache=none")
    #expect(none.code == 0, "\(none.errors)")
    #expect(throws: CocoaError.self) { try names("prepared") }
    for run in ["first", "second"] {
      let result = try train(ranks: ranks, run)
      #expect(result.code == 0, "\(result.errors)")
      #expect(
        result.errors.contains("prepared volumes are kept in \(data.folder.file("prepared"))"))
      #expect(try weights(run) == weights("none"))
      let files = try names("prepared")
      #expect(files.count == 6 && files.allSatisfy { $0.hasSuffix(".nii") }, "\(files)")
    }
  }

  @Test func `two jobs that start at once share the work`() throws {
    let cache = data.folder.file("shared")
    let one = "\(Command.lkdist) train \(data.configuration) --set data.cacheFolder=\(cache)"
    let result = try Command.run([
      "bash", "-c",
      """
      \(one) --output \(data.folder.file("a")) & first=$!
      \(one) --output \(data.folder.file("b")) || exit 1
      wait $first
      """,
    ])
    #expect(result.code == 0, "\(result.errors)")
    #expect(try weights("a") == weights("b"))
    #expect(try names("shared").count == 6)
  }

  @Test(.enabled(if: DiskFullTests.canMount, "needs mount in a name space"))
  func `a disk that fills while preparing is an error that leaves nothing half-written`() throws {
    let cache = data.folder.file("full")
    try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    let result = try Command.run([
      "unshare", "-rm", "bash", "-c",
      """
      mount -t tmpfs -o size=20k tmpfs \(cache)
      \(Command.lkdist) train \(data.configuration) --output \(data.folder.file("run")) \
        --set data.cacheFolder=\(cache)
      code=$?
      [ -z "$(find \(cache) -name '.*partial')" ] || exit 1
      exit $code
      """,
    ])
    #expect(result.code == 74, "\(result.errors)")
    for part in [
      "\(cache)/case_", "No space left", "MiB are free", "data.cacheFolder", "cache: none",
    ] {
      #expect(result.errors.contains(part), "\(result.errors)")
    }
  }

  @Test(.enabled(if: DiskFullTests.canMount, "needs mount in a name space"))
  func `a read-only cache serves what it holds`() throws {
    let cache = data.folder.file("prepared")
    #expect(try train("first").code == 0)
    let run = "\(Command.lkdist) train \(data.configuration) --output \(data.folder.file("second"))"
    let result = try Command.run([
      "unshare", "-rm", "bash", "-c",
      """
      mount --bind \(cache) \(cache) && mount -o remount,bind,ro \(cache) || exit 1
      \(run) || exit 2
      \(run) --resume never --set data.orientation=LPS
      """,
    ])
    #expect(result.code == 74, "\(result.errors)")
    #expect(result.errors.contains("Read-only file system; make room, or choose another folder"))
  }

  @Test(arguments: ["disk", "none"])
  func `bad subjects are skipped, named and counted`(cache: String) throws {
    try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(1)))
    let result = try train(
      ranks: 2, "run", "data.onBadSubject=skip", "data.cache=\(cache)",
      "training.stepsPerEpoch=null")
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.errors.contains("subject case_1 is skipped: \(data.image(1)) is truncated"))
    #expect(result.errors.contains("left out: 1 are left to train and 1 to validate"))
    #expect(result.errors.contains("1 bad subject was left out of this run"))
    // One subject an epoch is one step an epoch.
    let metrics = try String(
      contentsOfFile: data.folder.file("run/metrics.jsonl"), encoding: .utf8)
    #expect(metrics.split(separator: "\n").count { $0.contains("\"loss\"") } == 2)
  }

  @Test func `a run without a good subject is refused`() throws {
    for index in 1...2 {
      try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(index)))
    }
    let result = try train("run", "data.onBadSubject=skip")
    #expect(result.code == 65, "\(result.errors)")
    #expect(result.errors.contains("none of the 2 training subjects can be used"))
    #expect(result.errors.contains("case_1"))
  }

  @Test func `ct statistics leave skipped subjects out`() throws {
    try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(1)))
    let result = try train("run", "data.onBadSubject=skip", "data.normalization=ct")
    #expect(result.code == 0, "\(result.errors)")
    #expect(try train("fail", "data.normalization=ct").code == 65)
  }
}
