import Files

/// The steps and validations of a run so far, as `metrics.jsonl` tells them.
package struct RunRecords: Sendable {
  /// Ascending by step.
  package private(set) var steps: [StepRecord] = []
  package private(set) var validations: [ValidationRecord] = []
  /// The number of lines that are neither.
  package private(set) var unreadableLines = 0

  /// No step yet.
  package init() {}

  /// Reads the file at `path`; nothing where there is none.
  ///
  /// - Throws: `inputOutput` for a file that cannot be read.
  package init(_ path: String) throws(TrainingError) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try InputFile.bytes(of: path) } catch {
      if error.isMissing { return }
      throw .inputOutput("cannot read \(path): \(error.reason)")
    }
    for line in bytes.split(separator: UInt8(ascii: "\n")) { read(Array(line)) }
  }

  private mutating func read(_ line: [UInt8]) {
    let json = try? JSON.parse(line)
    if let record = json.flatMap(StepRecord.init) {
      add(record)
    } else if let record = json.flatMap(ValidationRecord.init) {
      add(record)
    } else {
      unreadableLines += 1
    }
  }

  /// Adds a step that follows those before it.
  package mutating func add(_ record: StepRecord) { steps.append(record) }

  /// Adds a validation that follows those before it.
  package mutating func add(_ record: ValidationRecord) { validations.append(record) }

  /// The validation of the best mean Dice; nil before the first.
  package var best: ValidationRecord? {
    validations.max { ($0.meanDice ?? -1) < ($1.meanDice ?? -1) }
  }
}

extension StepSeconds {
  /// How long the step took.
  package var total: Double { forward + backward + allreduceExposed + update + data }
}

extension StepRecord {
  /// The record that `json` wrote; nil for anything else. A loss or norm of null is not a number.
  init?(json: JSON) {
    guard let step = json["step"]?.integer, let epoch = json["epoch"]?.integer,
      let seconds = json["seconds"], let rate = json["learning_rate"]?.number
    else { return nil }
    func time(_ key: String) -> Double { seconds[key]?.number ?? 0 }
    self.init(
      step: step, epoch: epoch, loss: json["loss"]?.number ?? .nan, learningRate: rate,
      gradientNorm: json["gradient_norm"]?.number ?? .nan,
      seconds: StepSeconds(
        forward: time("forward"), backward: time("backward"),
        allreduceExposed: time("allreduce_exposed"), allreduceHidden: time("allreduce_hidden"),
        update: time("update"), data: time("data")))
  }
}

extension ValidationRecord {
  /// The key of the mean over foreground classes.
  package static let meanKey = "foreground"

  /// The record that `json` wrote; nil for anything else.
  init?(json: JSON) {
    guard let step = json["step"]?.integer, let epoch = json["epoch"]?.integer,
      case .object(let dice)? = json["dice"], case .object(let hd95)? = json["hd95"]
    else { return nil }
    self.init(
      step: step, epoch: epoch, dice: dice.map { ($0.key, $0.value.number) },
      hd95: hd95.map { ($0.key, $0.value.number) })
  }

  /// The mean Dice over foreground classes, 0 to 1; nil where undefined.
  package var meanDice: Double? { dice.first { $0.name == Self.meanKey }?.value }

  /// The mean HD95 over foreground classes in mm; nil where undefined.
  package var meanHD95: Double? { hd95.first { $0.name == Self.meanKey }?.value }
}
