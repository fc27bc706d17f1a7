import Foundation
import Imaging
import TestSupport
import Testing

/// The way from data to scores through the commands.
@Suite(.serialized) struct TrainingCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  private func checkpoint(_ run: String, _ name: String = "last") throws -> Data {
    try Data(
      contentsOf: URL(fileURLWithPath: data.folder.file("\(run)/checkpoints/\(name).safetensors")))
  }

  /// The tensors of a checkpoint, without its header.
  private func tensors(_ run: String, _ name: String = "last") throws -> Data {
    let bytes = try checkpoint(run, name)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return bytes.dropFirst(8 + length)
  }

  @Test func `validation on all ranks gives what validation on the root gives`() throws {
    let data = try TinyDataset(subjects: 9)
    func run(_ place: String) throws -> (metrics: [Substring], log: String, maps: [String: Data]) {
      let run = data.folder.file(place)
      let result = try Command.lkdist(
        ranks: 2, "train", data.configuration, "--output", run, "--set",
        "distributed.validation=\(place)")
      #expect(result.code == 0, "\(result.errors)")
      let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
      let maps = try FileManager.default.contentsOfDirectory(atPath: run + "/validation").map {
        ($0, try Data(contentsOf: URL(fileURLWithPath: "\(run)/validation/\($0)")))
      }
      return (
        metrics.split(separator: "\n").filter { $0.contains("\"dice\"") },
        try String(contentsOfFile: run + "/train.log", encoding: .utf8),
        Dictionary(uniqueKeysWithValues: maps)
      )
    }
    let (root, all) = (try run("root"), try run("all"))
    #expect(root.metrics.count == 2 && root.metrics == all.metrics, "\(root) \(all)")
    #expect(root.maps.count == 3 && root.maps == all.maps)
    #expect(all.log.contains("validation Dice") && all.log.contains("best so far"))
    let best = ["root", "all"].map { data.folder.file("\($0)/checkpoints/best.safetensors") }
    // Headers differ by the configuration.
    let tensors = try best.map { try Data(contentsOf: URL(fileURLWithPath: $0)).suffix(9999) }
    #expect(tensors[0] == tensors[1])
  }

  /// The rates of the first two steps of two ranks that accumulate two patches each, from a base of 0.001.
  private func firstRates(_ rule: String) throws -> [Double?] {
    let run = data.folder.file(rule)
    let settings = [
      "schedule.scaleLearningRate=\(rule)", "schedule.warmupSteps=2", "schedule.kind=constant",
      "optimizer.learningRate=0.001", "training.accumulate=2", "training.stepsPerEpoch=2",
      "training.epochs=1",
    ]
    let words = ["-n", "2", "--oversubscribe", Command.lkdist, "train", data.configuration]
    let result = try Command.run(
      ["/usr/bin/env", "mpirun"] + words + ["--output", run]
        + settings.flatMap { ["--set", $0] })
    #expect(result.code == 0, "\(result.errors)")
    let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
    return try metrics.split(separator: "\n").map { try JSON.parse(String($0)) }
      .filter { $0["loss"] != nil }.map { $0["learning_rate"]?.number }
  }

  @Test func `the learning rate grows with ranks x accumulate, and warm-up ends there`() throws {
    #expect(try firstRates("none") == [0.0005, 0.001])
    #expect(try firstRates("sqrt") == [0.001, 0.002])
    #expect(try firstRates("linear") == [0.002, 0.004])
  }

  @Test func `a run starts from the weights of another`() throws {
    func run(_ output: String, _ more: String...) throws {
      let words = [Command.lkdist, "train", data.configuration, "--set", "training.epochs=1"]
      let result = try Command.run(words + ["--output", data.folder.file(output)] + more)
      #expect(result.code == 0, "\(result.errors)")
    }
    try run("first")
    let best = data.folder.file("first/checkpoints/best.safetensors")
    // So small a rate leaves every weight as it came.
    try run("second", "--weights", best, "--set", "optimizer.learningRate=1.0e-30")
    #expect(try tensors("second", "best") == tensors("first", "best"))
  }

  @Test func `a signal ends the run with a checkpoint and code 75`() throws {
    let result = try Command.run([
      "bash", "-c",
      """
      \(Command.lkdist) train \(data.configuration) --output \(data.folder.file("run")) \
        --set training.epochs=10000 --set training.validateEvery=10000 &
      while ! [ -s \(data.folder.file("run/metrics.jsonl")) ]; do sleep 0.1; done
      kill -USR1 $!
      wait $!
      """,
    ])
    #expect(result.code == 75, "\(result.errors)")
    #expect(try !checkpoint("run").isEmpty)
  }

  @Test func `training, prediction and evaluation find the box`() throws {
    let run = data.folder.file("run")
    let train = try Command.lkdist(
      ranks: 2, "train", data.configuration, "--output", run, "--set", "training.epochs=10",
      "--set", "training.validateEvery=5")
    #expect(train.code == 0, "\(train.errors)")
    for name in ["lkdist.yaml", "manifest.json", "train.log", "metrics.jsonl"] {
      #expect(FileManager.default.fileExists(atPath: "\(run)/\(name)"), "\(name)")
    }
    let predictions = data.folder.file("predictions")
    let predict = try Command.lkdist(
      "predict", "--checkpoint", "\(run)/checkpoints/best.safetensors", "-i", data.image(0), "-o",
      predictions)
    #expect(predict.code == 0, "\(predict.errors)")
    let map = try NIfTI.readLabels("\(predictions)/case_0.nii.gz")
    #expect(map.geometry.matches(TinyDataset.geometry))
    let again = try Command.lkdist(
      "predict", "--checkpoint", "\(run)/checkpoints/best.safetensors", "-i", data.image(0), "-o",
      predictions)
    #expect(again.code == 74 && again.errors.contains("--overwrite"))
    let evaluate = try Command.lkdist(
      "evaluate", predictions, data.folder.file("labelsTr"), "--labels",
      data.folder.file("dataset.json"),
      "-o", data.folder.file("metrics.json"))
    #expect(evaluate.code == 0, "\(evaluate.errors)")
    #expect(evaluate.output.contains("box"))
    let json = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: data.folder.file("metrics.json"))))
    let mean = ((json as? [String: Any])?["mean"] as? [String: Any])?["foreground"]
    let dice = (mean as? [String: Any])?["dice"] as? Double
    #expect(try #require(dice) > 0.8)
  }

  @Test func `init writes a configuration that trains as it is`() throws {
    let output = data.folder.file("proposed.yaml")
    let proposal = try Command.lkdist("init", data.path, "-o", output)
    #expect(proposal.code == 0, "\(proposal.errors)")
    let plan = try Command.lkdist("train", output, "--dry-run")
    #expect(plan.code == 0, "\(plan.errors)")
    #expect(plan.output.contains("of 3 subjects 2 to train and 1 to validate"))
    #expect(try Command.lkdist("init", data.path, "-o", output).code == 74)
  }

  @Test func `a step benchmark prints one line of JSON a step`() throws {
    let result = try Command.lkdist(
      "bench", "step", "--patch", "16,16,16", "--inputs", "1", "--outputs", "2", "--channels", "16",
      "--scales", "3", "--steps", "2", "--threads", "1")
    #expect(result.code == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2)
    for line in lines {
      let step = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Double]
      for key in ["forward_s", "backward_s", "update_s", "step_s", "peak_rss_bytes"] {
        #expect(step?[key] ?? 0 > 0, "\(key)")
      }
    }
  }

  @Test func `the sample data set trains`() throws {
    let folder = data.folder.file("sample")
    #expect(try Command.lkdist("sample", folder).code == 0)
    let result = try Command.lkdist(
      "train", folder + "/lkdist.yaml", "--output", folder + "/run", "--max-steps", "1")
    #expect(result.code == 0, "\(result.errors)")
  }
}
