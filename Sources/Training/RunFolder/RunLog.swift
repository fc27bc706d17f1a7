import Files
import Glibc
import Logging
import Synchronization

/// What a run tells: `train.log`, `metrics.jsonl`, TensorBoard's events, `progress.svg`, and lines on
/// the terminal.
///
/// Only rank 0 has one that speaks; the others are `silent`.
package final class RunLog: Sendable {
  /// Messages through it go to `train.log` and the terminal.
  package let logger: Logger
  private let sink: LogSink
  private let metrics: MetricsFile?
  private let events: EventLog?
  private let progress: Mutex<Progress?>
  /// What `metrics` holds.
  private let records: Mutex<RunRecords>

  /// Opens the logs of a run in `folder`.
  ///
  /// - Parameters:
  ///   - step: the checkpoint's step on resume, 0 otherwise; later lines of metrics are cut.
  ///   - events: what TensorBoard is told; nil for nothing.
  ///   - isQuiet: whether the terminal is spared everything below warnings.
  /// - Throws: `inputOutput` naming the file that cannot be written.
  package convenience init(
    in folder: RunFolder, resumingAt step: Int = 0, events: EventLog? = nil, isQuiet: Bool = false
  ) throws(TrainingError) {
    let metrics = try MetricsFile(folder.metrics, keepingThrough: step)
    let file: OutputFile
    do throws(FileError) { file = try OutputFile(folder.log, flags: O_CREAT | O_APPEND) } catch {
      throw .inputOutput("cannot write \(folder.log): \(error.reason)")
    }
    self.init(
      LogSink(file, terminal: .standardError, isQuiet: isQuiet), metrics, events,
      try RunRecords(folder.metrics))
  }

  private init(
    _ sink: LogSink, _ metrics: MetricsFile?, _ events: EventLog?, _ records: RunRecords
  ) {
    self.sink = sink
    self.metrics = metrics
    self.events = events
    self.records = Mutex(records)
    progress = Mutex(nil)
    logger = Logger(label: "lkdist") { _ in RunLogHandler(sink: sink) }
  }

  /// A log that says and writes nothing, for ranks other than 0.
  package static var silent: RunLog {
    RunLog(LogSink(nil, terminal: nil, isQuiet: true), nil, nil, RunRecords())
  }

  /// Says how long the run is, for the progress line.
  package func begin(patches: Int, epochs: Int) {
    let interval = sink.isInteractive ? 0.1 : 10.0
    progress.withLock { $0 = Progress(patches: patches, epochs: epochs, interval: interval) }
  }

  /// Writes a step's metrics and shows the progress.
  ///
  /// - Parameters:
  ///   - stepInEpoch: the step of the epoch, counted from 1.
  ///   - patchesDone: patches done since the run began, resumed ones included.
  /// - Throws: `inputOutput` where the metrics cannot be written; they wait for the next call then.
  package func step(
    _ record: StepRecord, stepInEpoch: Int, stepsPerEpoch: Int, patchesDone: Int
  ) throws(TrainingError) {
    events?.add(record)
    records.withLock { $0.add(record) }
    try metrics?.append(record.json)
    let position = Progress.Position(
      epoch: record.epoch, step: stepInEpoch, stepsPerEpoch: stepsPerEpoch, loss: record.loss,
      patchesDone: patchesDone)
    let now = Self.seconds
    if let line = progress.withLock({ $0?.line(position, at: now) }) { sink.progress(line) }
  }

  /// Writes a validation's metrics.
  ///
  /// - Throws: `inputOutput` where they cannot be written; they wait for the next call then.
  package func validation(_ record: ValidationRecord) throws(TrainingError) {
    events?.add(record)
    records.withLock { $0.add(record) }
    try metrics?.append(record.json)
  }

  /// Draws the run so far into `progress.svg` of `folder`; a log that is silent draws nothing.
  ///
  /// - Parameters:
  ///   - epochs: those of the whole run.
  ///   - names: those of the classes by their keys in the metrics.
  /// - Throws: `inputOutput` where it cannot be written; the one that was there then stays.
  package func drawProgress(
    in folder: RunFolder, name: String, epochs: Int, names: [String: String]
  ) throws(TrainingError) {
    guard metrics != nil else { return }
    let drawing = ProgressDrawing(
      name: name, epochs: epochs, records: records.withLock { $0 }, names: names)
    try AtomicFile.write(drawing.svg, to: folder.progress, kind: "drawing")
  }

  /// Whether pictures are of use.
  package var takesPictures: Bool { events != nil }

  /// Keeps a picture of a validation subject for the validation's metrics; one that cannot be encoded
  /// is told and left out.
  package func show(_ picture: Picture, subject: String) {
    do throws(TrainingError) {
      try events?.add(picture, tag: "validation/\(subject)")
    } catch {
      logger.warning("\(error); training goes on")
    }
  }

  /// Writes events that were kept in memory: at an epoch's end, and before a checkpoint, past which a
  /// run that goes on does not tell them again.
  ///
  /// - Throws: `inputOutput` where they cannot be written; they wait for the next call then.
  package func writeEvents() throws(TrainingError) { try events?.write() }

  /// Writes metrics and events that wait for room on the disk.
  ///
  /// - Throws: `inputOutput` if there still is none for metrics: nothing is lost without a word.
  package func finish() throws(TrainingError) {
    do throws(TrainingError) { try events?.write() } catch { logger.warning("\(error)") }
    try metrics?.finish()
  }

  /// Ends the progress line, so that what follows starts on its own.
  package func end() { sink.endProgress() }

  /// Seconds on a clock that never jumps.
  private static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
