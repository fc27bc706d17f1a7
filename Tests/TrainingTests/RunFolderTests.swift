import TestSupport
import Testing
import Training

@Suite struct RunFolderTests {
  private func record(_ step: Int, loss: Double = 0.5) -> StepRecord {
    StepRecord(
      step: step, epoch: 1 + step / 10, loss: loss, learningRate: 3e-4, gradientNorm: 1.5,
      seconds: StepSeconds(
        forward: 1, backward: 2, allreduceExposed: 0.5, allreduceHidden: 0.25, update: 0.125,
        data: 0))
  }

  private func run(_ folder: TemporaryFolder) throws -> RunFolder {
    let run = RunFolder(folder.file("runs/a"))
    try run.create()
    return run
  }

  @Test func `a new run's folder holds its configuration and manifest`() throws {
    let folder = try TemporaryFolder()
    let run = try run(folder)
    var configuration = Configuration()
    configuration.data.path = "/data"
    try run.write(configuration)
    #expect(try Configuration.load(run.configuration) == configuration)
    let manifest = Manifest(
      versions: [("lkdist", "1"), ("mpi", "4.1")], command: ["lkdist", "train"],
      hosts: ["a", "a"], ranks: 2, threads: 4, instructionSet: "avx2", datasetHash: "00ff")
    try run.write(manifest)
    #expect(try JSON.parse(folder.bytes("runs/a/manifest.json")) == manifest.json)
    try run.create()
  }

  @Test func `a folder that cannot be made is named`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "file")
    let message =
      "cannot write to the output folder \(RunFolder(folder.file("file")).path): Not a "
      + "directory; choose another with --output"
    #expect(throws: TrainingError.inputOutput(message)) {
      try RunFolder(folder.file("file")).create()
    }
    #expect(throws: TrainingError.self) { try RunFolder("/proc/run").create() }
  }

  @Test func `metrics have the contract's fields`() throws {
    let folder = try TemporaryFolder()
    let log = try RunLog(in: try run(folder), isQuiet: true)
    try log.step(record(1), stepInEpoch: 1, stepsPerEpoch: 10, patchesDone: 2)
    try log.step(record(2, loss: .nan), stepInEpoch: 2, stepsPerEpoch: 10, patchesDone: 4)
    try log.validation(
      ValidationRecord(
        step: 2, epoch: 1, dice: [("anterior", 0.75), ("foreground", nil)],
        hd95: [("anterior", 2)]))
    let seconds =
      #"{"forward": 1.0, "backward": 2.0, "allreduce_exposed": 0.5, "allreduce_hidden": 0.25, "#
      + #""update": 0.125, "data": 0.0}"#
    let rest = #""learning_rate": 0.0003, "gradient_norm": 1.5, "seconds": "# + seconds
    #expect(
      try folder.text("runs/a/metrics.jsonl") == """
        {"step": 1, "epoch": 1, "loss": 0.5, \(rest)}
        {"step": 2, "epoch": 1, "loss": null, \(rest)}
        {"step": 2, "epoch": 1, "dice": {"anterior": 0.75, "foreground": null}, \
        "hd95": {"anterior": 2.0}}

        """)
  }

  @Test func `on resume lines past the checkpoint and a partial one are cut`() throws {
    let folder = try TemporaryFolder()
    let run = try run(folder)
    do {
      let log = try RunLog(in: run, isQuiet: true)
      for step in 1...5 {
        try log.step(record(step), stepInEpoch: step, stepsPerEpoch: 9, patchesDone: step)
        try log.validation(ValidationRecord(step: step, epoch: 1, dice: [], hd95: []))
      }
    }
    let whole = try folder.text("runs/a/metrics.jsonl")
    try folder.write(
      Array(whole.utf8) + Array(#"{"step": 3, "epo"#.utf8), to: "runs/a/metrics.jsonl")
    let log = try RunLog(in: run, resumingAt: 3, isQuiet: true)
    try log.step(record(4), stepInEpoch: 4, stepsPerEpoch: 9, patchesDone: 4)
    let lines = whole.split(separator: "\n")
    #expect(
      try folder.text("runs/a/metrics.jsonl").split(separator: "\n") == Array(lines[..<7]))
    _ = try RunLog(in: run, isQuiet: true)
    #expect(try folder.text("runs/a/metrics.jsonl") == "")
  }

  @Test func `messages go to the log file with their time`() throws {
    let folder = try TemporaryFolder()
    let run = try run(folder)
    for text in ["one", "two"] {
      let log = try RunLog(in: run, isQuiet: true)
      log.logger.info("epoch \(text)", metadata: ["dice": "0.8"])
      log.end()
    }
    let lines = try folder.text("runs/a/train.log").split(separator: "\n")
    #expect(
      lines.map { $0.drop { $0 != " " } } == ["  epoch one dice=0.8", "  epoch two dice=0.8"])
    #expect(lines[0].contains("T") && lines[0].contains("Z  "))
  }

  @Test func `the silent log of other ranks writes nothing`() throws {
    let log = RunLog.silent
    log.logger.info("nothing")
    log.begin(patches: 10, epochs: 1)
    try log.step(record(1), stepInEpoch: 1, stepsPerEpoch: 10, patchesDone: 1)
    try log.validation(ValidationRecord(step: 1, epoch: 1, dice: [], hd95: []))
    log.end()
  }
}

@Suite struct ProgressTests {
  private func position(_ step: Int) -> Progress.Position {
    Progress.Position(
      epoch: 2, step: step, stepsPerEpoch: 40, loss: -0.00004 + Double(step), patchesDone: 2 * step)
  }

  @Test func `the line tells the place, the loss, the rate and the time left`() {
    var progress = Progress(patches: 1000, epochs: 20, interval: 10)
    #expect(progress.line(position(1), at: 100) == "epoch 2/20  step 1/40  loss 1.0000")
    #expect(progress.line(position(2), at: 105) == nil)
    #expect(
      progress.line(position(5), at: 110)
        == "epoch 2/20  step 5/40  loss 5.0000  0.80 patches/s  21 min left")
  }

  @Test func `the rate follows the last half minute`() {
    var progress = Progress(patches: 100_000, epochs: 20, interval: 0)
    for step in 1...10 { _ = progress.line(position(step), at: Double(step) * 100) }
    for step in 11...139 { _ = progress.line(position(step), at: 1000 + Double(step - 10) / 2) }
    #expect(
      progress.line(position(140), at: 1065)
        == "epoch 2/20  step 140/40  loss 140.0000  4.00 patches/s  6 h 56 min left")
  }

  @Test func `numbers and times are rounded for reading`() {
    #expect(Progress.rounded(0.99996, 4) == "1.0000")
    #expect(Progress.rounded(-1.25, 1) == "-1.3")
    #expect(Progress.rounded(-0.01, 1) == "0.0")
    #expect(Progress.rounded(12.5, 0) == "13")
    #expect(Progress.rounded(.nan, 4) == "nan")
    #expect(Progress.duration(59.4) == "59 s")
    #expect(Progress.duration(90) == "2 min")
    #expect(Progress.duration(3600 * 5 + 61) == "5 h 1 min")
    #expect(Progress.duration(3599) == "1 h 0 min")
  }
}
