import Files

/// Seconds that the parts of a step took.
package struct StepSeconds: Equatable, Sendable {
  package var forward: Double
  package var backward: Double
  /// Communication that the step waited for.
  package var allreduceExposed: Double
  /// Communication while the backward pass ran.
  package var allreduceHidden: Double
  package var update: Double
  /// Waiting for the next patch.
  package var data: Double

  package init(
    forward: Double = 0, backward: Double = 0, allreduceExposed: Double = 0,
    allreduceHidden: Double = 0, update: Double = 0, data: Double = 0
  ) {
    self.forward = forward
    self.backward = backward
    self.allreduceExposed = allreduceExposed
    self.allreduceHidden = allreduceHidden
    self.update = update
    self.data = data
  }
}

/// One step, as a line of `metrics.jsonl`.
package struct StepRecord: Equatable, Sendable {
  /// The step of the run, counted from 1.
  package var step: Int
  /// The epoch of the run, counted from 1.
  package var epoch: Int
  /// The mean loss of the step's patches.
  package var loss: Double
  package var learningRate: Double
  /// The L2 norm of the summed gradient before clipping.
  package var gradientNorm: Double
  package var seconds: StepSeconds

  package init(
    step: Int, epoch: Int, loss: Double, learningRate: Double, gradientNorm: Double,
    seconds: StepSeconds
  ) {
    self.step = step
    self.epoch = epoch
    self.loss = loss
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.seconds = seconds
  }

  /// The record as JSON; a number that is not finite is null.
  package var json: JSON {
    [
      "step": .integer(step), "epoch": .integer(epoch), "loss": .finite(loss),
      "learning_rate": .finite(learningRate), "gradient_norm": .finite(gradientNorm),
      "seconds": [
        "forward": .finite(seconds.forward), "backward": .finite(seconds.backward),
        "allreduce_exposed": .finite(seconds.allreduceExposed),
        "allreduce_hidden": .finite(seconds.allreduceHidden),
        "update": .finite(seconds.update), "data": .finite(seconds.data),
      ],
    ]
  }
}

/// One validation, as a line of `metrics.jsonl`.
package struct ValidationRecord: Sendable {
  /// A score by its class.
  package typealias Score = (name: String, value: Double?)

  package var step: Int
  package var epoch: Int
  /// Dice by class, 0 to 1; nil where undefined.
  package var dice: [Score]
  /// HD95 by class in mm; nil where undefined.
  package var hd95: [Score]

  package init(step: Int, epoch: Int, dice: [Score], hd95: [Score]) {
    self.step = step
    self.epoch = epoch
    self.dice = dice
    self.hd95 = hd95
  }

  /// The record as JSON.
  package var json: JSON {
    [
      "step": .integer(step), "epoch": .integer(epoch), "dice": Self.object(dice),
      "hd95": Self.object(hd95),
    ]
  }

  private static func object(_ scores: [Score]) -> JSON {
    .object(scores.map { JSON.Member($0.name, .finite($0.value)) })
  }
}

/// The file of a run's steps and validations, one JSON object a line.
final class MetricsFile: Sendable {
  private let file: AppendedFile

  /// Opens the file at `path` to append to it, after cutting what lies past `step`.
  ///
  /// - Parameter step: the last step whose lines are kept; 0 to start anew.
  init(_ path: String, keepingThrough step: Int) throws(TrainingError) {
    try Self.cut(path, after: step)
    file = AppendedFile(path)
    try file.write()
  }

  /// Appends one object as a line.
  ///
  /// - Throws: `inputOutput` if the disk refuses; the line then waits in memory for the next call.
  func append(_ json: JSON) throws(TrainingError) {
    file.hold(Array((json.text + "\n").utf8))
    try file.write()
  }

  /// Writes the lines that still wait.
  ///
  /// - Throws: `inputOutput` if the disk refuses them.
  func finish() throws(TrainingError) { try file.write() }

  /// Removes the lines of steps after `step`, and a last line that was cut while it was written.
  static func cut(_ path: String, after step: Int) throws(TrainingError) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try InputFile.bytes(of: path) } catch {
      if error.isMissing { return }
      throw .inputOutput("cannot read \(path): \(error.reason)")
    }
    var kept: [UInt8] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let json = try? JSON.parse(Array(line)), let lineStep = json["step"]?.integer,
        lineStep <= step
      else { continue }
      kept += line + [UInt8(ascii: "\n")]
    }
    guard kept != bytes else { return }
    try AtomicFile.write(
      String(decoding: kept, as: UTF8.self), to: path, kind: "metrics file")
  }
}
