import Foundation
import TestSupport
import Testing

/// All folds in one call, and their scores pooled.
@Suite(.serialized) struct CrossValidationCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset(subjects: 5) }

  private func train(_ more: String...) throws -> Command.Result {
    try Command.run(
      [
        Command.lkdist, "train", data.configuration, "--output", data.folder.file("runs"), "--fold",
        "each",
      ] + more)
  }

  private func run(_ fold: Int) -> String { data.folder.file("runs/fold-\(fold)") }

  private func evaluate(_ words: String...) throws -> Command.Result {
    try Command.run([Command.lkdist, "evaluate", "--runs"] + words)
  }

  @Test func `every fold trains in its own folder and every subject is scored once`() throws {
    let first = try train()
    #expect(first.code == 0, "\(first.errors)")
    #expect(first.output.contains("lkdist evaluate --runs \(data.folder.file("runs"))/fold-*"))
    for fold in 0..<3 {
      let text = try data.folder.text("runs/fold-\(fold)/lkdist.yaml")
      #expect(text.contains("fold: \(fold)"))
      let maps = try FileManager.default.contentsOfDirectory(atPath: run(fold) + "/validation")
      #expect(maps.count == (fold < 2 ? 2 : 1))
    }
    let pooled = try evaluate(run(0), run(1), run(2), "-o", data.folder.file("cv.json"))
    #expect(pooled.code == 0, "\(pooled.errors)")
    #expect(pooled.output.contains("1 box") && pooled.output.contains("5 subjects."))
    let json = try JSONSerialization.jsonObject(with: Data(data.folder.bytes("cv.json")))
    let subjects = (json as? [String: Any])?["subjects"] as? [String: Any]
    #expect(subjects?.keys.sorted() == (0..<5).map { "case_\($0)" })
    let twice = try evaluate(run(0), run(0))
    #expect(twice.code == 65 && twice.errors.contains("case_0"), "\(twice.errors)")
    let none = try evaluate(data.folder.file("labelsTr"))
    #expect(none.code == 66 && none.errors.contains("is no run's folder"), "\(none.errors)")
  }

  @Test func `a call goes on at the fold where the one before stopped`() throws {
    #expect(try train("--max-steps", "3").code == 0)
    let stopped = try data.folder.bytes("runs/fold-2/checkpoints/last.safetensors")
    let all = try train()
    #expect(all.code == 0, "\(all.errors)")
    for fold in 0..<3 {
      let log = try data.folder.text("runs/fold-\(fold)/train.log")
      #expect(log.contains("going on from") && log.contains("step 3"), "\(log)")
    }
    let last = try data.folder.bytes("runs/fold-2/checkpoints/last.safetensors")
    #expect(last != stopped)
    // Finished folds stay as they are.
    let again = try train()
    #expect(again.code == 0, "\(again.errors)")
    #expect(try data.folder.bytes("runs/fold-2/checkpoints/last.safetensors") == last)
  }

  @Test func `folds have checkpoints of their own to go on from`() throws {
    let result = try train("--resume", "last.safetensors")
    #expect(result.code == 64 && result.errors.contains("--fold each"))
  }

  @Test func `two ranks train all folds`() throws {
    let result = try Command.lkdist(
      ranks: 2, "train", data.configuration, "--output", data.folder.file("runs"), "--fold", "each",
      "--set", "training.epochs=1", "--quiet")
    #expect(result.code == 0, "\(result.errors)")
    let pooled = try evaluate(run(0), run(1), run(2))
    #expect(pooled.output.contains("5 subjects."), "\(pooled.errors)")
  }
}
