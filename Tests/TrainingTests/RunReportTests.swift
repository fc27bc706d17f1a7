import Imaging
import Kernels
import NN
import Tensors
import TestSupport
import Testing
import Training

@Suite struct RunReportTests {
  private func step(_ step: Int, loss: Double = 0.5) -> StepRecord {
    StepRecord(
      step: step, epoch: 1 + step / 10, loss: loss, learningRate: 3e-4, gradientNorm: 1.5,
      seconds: StepSeconds(forward: 1, backward: 2, allreduceExposed: 0.5, update: 0.125))
  }

  private func validation(_ epoch: Int, _ dice: Double?) -> ValidationRecord {
    ValidationRecord(
      step: 10 * epoch, epoch: epoch, dice: [("1", dice), ("foreground", dice)],
      hd95: [("1", 4), ("foreground", 4)])
  }

  private func records() throws -> (folder: TemporaryFolder, run: RunFolder) {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.file("run"))
    try run.create()
    let log = try RunLog(in: run, isQuiet: true)
    for index in 1...20 {
      try log.step(
        step(index, loss: index == 3 ? .nan : 1 / Double(index)), stepInEpoch: index,
        stepsPerEpoch: 20, patchesDone: index)
    }
    try log.validation(validation(1, 0.75))
    try log.validation(validation(2, nil))
    try log.drawProgress(in: run, name: "a & b", epochs: 4, names: ["1": "anterior"])
    return (folder, run)
  }

  @Test func `records are read as they were written`() throws {
    let (folder, run) = try records()
    let records = try RunRecords(run.metrics)
    #expect(records.steps.count == 20 && records.validations.count == 2)
    #expect(records.steps[4] == step(5, loss: 0.2))
    #expect(records.steps[2].loss.isNaN)
    #expect(records.steps[0].seconds.total == 3.625)
    #expect(records.best?.epoch == 1 && records.best?.meanHD95 == 4)
    #expect(records.unreadableLines == 0)
    try folder.write(Array("{\"step\": 1}\nnothing\n".utf8), to: "run/metrics.jsonl")
    #expect(try RunRecords(run.metrics).unreadableLines == 2)
    #expect(try RunRecords(folder.file("none")).steps.isEmpty)
  }

  @Test func `the drawing of a run is well-formed and goes on after a resume`() throws {
    let (folder, run) = try records()
    let first = try MarkupReader(folder.text("run/progress.svg"))
    #expect(first.all("svg", class: "chart").count == 5)
    #expect(first.texts.contains("a & b"))
    #expect(
      first.texts.contains("epoch 3 of 4, step 20; best mean Dice 0.7500 after epoch 1"))
    #expect(first.texts.contains("anterior 0.750"), "\(first.texts)")
    let log = try RunLog(in: run, resumingAt: 20, isQuiet: true)
    try log.step(step(21), stepInEpoch: 1, stepsPerEpoch: 20, patchesDone: 21)
    try log.drawProgress(in: run, name: "a", epochs: 4, names: [:])
    let second = try folder.text("run/progress.svg")
    #expect(second.contains("step 21") && second.contains("best mean Dice 0.7500"))
    try RunLog.silent.drawProgress(
      in: RunFolder(folder.file("silent")), name: "", epochs: 1, names: [:])
    #expect(folder.names == ["run"])
  }

  @Test func `a report of a folder with metrics alone says what is missing`() throws {
    let (folder, run) = try records()
    let report = try RunReport(run.path, output: nil, subject: nil, on: Compute(threads: 1))
    let page = withExtendedLifetime(folder) { report.page }
    let reader = try MarkupReader(page)
    #expect(reader.all("svg", class: "chart").count == 5)
    let texts = reader.texts.joined(separator: "\n")
    for words in [
      "Not finished: the run has no checkpoint yet", "holds no label map", "lkdist.yaml",
    ] {
      #expect(texts.contains(words), "\(words)")
    }
    #expect(texts.contains("0.7500"))
  }

  @Test func `only a run's folder is reported`() throws {
    let folder = try TemporaryFolder()
    func error(_ path: String) -> TrainingError? {
      do throws(TrainingError) {
        _ = try RunReport(path, output: nil, subject: nil, on: Compute(threads: 1))
        return nil
      } catch {
        return error
      }
    }
    #expect(error(folder.path)?.exitCode == .badData)
    #expect(error(folder.file("none"))?.exitCode == .missing)
  }

  @Test func `a slice is seen with right at the right and up at the top`() {
    let extent = Extent(depth: 2, height: 3, width: 4)
    func slice(_ plane: Slice.Plane, scale: Double = 1) -> Slice {
      Slice(plane, through: [1, 2, 1], of: extent, spacing: [1, 1, 2], scale: scale)
    }
    // An index is 12 z + 4 y + x.
    #expect(slice(.axial).voxels == [20, 21, 22, 23, 16, 17, 18, 19, 12, 13, 14, 15])
    // The voxels are 2 high.
    let rows = [[20, 21, 22, 23], [20, 21, 22, 23], [8, 9, 10, 11], [8, 9, 10, 11]]
    #expect(slice(.coronal).voxels == Array(rows.joined()))
    #expect(slice(.sagittal).height == 4 && slice(.sagittal).voxels.prefix(3) == [13, 17, 21])
    #expect(slice(.axial, scale: 2).voxels.prefix(8) == [20, 20, 21, 21, 22, 22, 23, 23])
  }

  @Test func `outlines lie on the borders inside a label`() {
    var picture = Picture(width: 5, height: 5, gray: 9)
    let labels = (0..<25).map {
      Int16((1...3).contains($0 % 5) && (1...3).contains($0 / 5) ? 2 : 0)
    }
    picture.outline(labels, thickness: 1) { label in [UInt8(label), 0, 0] }
    let marked = (0..<25).filter { picture[$0 % 5, $0 / 5] == [2, 0, 0] }
    #expect(marked == [6, 7, 8, 11, 13, 16, 17, 18])
    #expect(picture[2, 2] == [9, 9, 9])
  }
}
