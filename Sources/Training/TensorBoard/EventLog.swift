import Foundation
import Protobuf
import Synchronization

/// A run as TensorBoard shows it: scalars of steps and validations, pictures, the configuration.
///
/// Each start of a run has an event file of its own. A run that goes on says with which step it does:
/// TensorBoard then forgets what earlier files tell of that step and later ones. Records wait in
/// memory for `write`.
package final class EventLog: Sendable {
  private let file: AppendedFile
  private let names: [String: String]
  private let clock: @Sendable () -> Double
  /// Pictures that wait for the validation they belong to.
  private let pictures = Mutex<[Tensorboard_Summary.Value]>([])

  /// A new file in `folder`.
  ///
  /// - Parameters:
  ///   - step: the step that the run goes on from; 0 for a new run.
  ///   - configuration: its text.
  ///   - names: those of the classes by their keys in `ValidationRecord`.
  ///   - clock: seconds since 1970.
  package init(
    in folder: String, resumingAt step: Int, configuration: String, names: [String: String],
    clock: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
  ) {
    file = AppendedFile("\(folder)/\(Self.name(in: folder, at: clock()))")
    self.names = names
    self.clock = clock
    let first = step == 0 ? 0 : step + 1
    add(step: 0) { $0.fileVersion = "brain.Event:2" }
    add(step: first) { $0.sessionLog.status = .start }
    add(step: first, [.text("configuration", "```yaml\n\(configuration)```")])
  }

  /// Adds a step's scalars.
  package func add(_ record: StepRecord) {
    let seconds = record.seconds
    add(
      step: record.step,
      [
        .scalar("loss", record.loss), .scalar("learning_rate", record.learningRate),
        .scalar("gradient_norm", record.gradientNorm), .scalar("seconds/forward", seconds.forward),
        .scalar("seconds/backward", seconds.backward),
        .scalar("seconds/allreduce_exposed", seconds.allreduceExposed),
        .scalar("seconds/allreduce_hidden", seconds.allreduceHidden),
        .scalar("seconds/update", seconds.update), .scalar("seconds/data", seconds.data),
      ])
  }

  /// Adds a validation's scalars, but those that are undefined, and the pictures given since the last.
  package func add(_ record: ValidationRecord) {
    let pictures = pictures.withLock { pictures in
      defer { pictures = [] }
      return pictures
    }
    let measures = [("dice", record.dice), ("hd95", record.hd95)]
    add(
      step: record.step,
      measures.flatMap { measure, scores in
        scores.compactMap { key, value in
          value.map { Tensorboard_Summary.Value.scalar("\(measure)/\(names[key] ?? key)", $0) }
        }
      } + pictures)
  }

  /// Keeps a picture for the next validation.
  ///
  /// - Throws: `inputOutput` for one that libpng cannot hold.
  package func add(_ picture: Picture, tag: String) throws(TrainingError) {
    let png = try picture.png()
    pictures.withLock {
      $0.append(.image(tag, width: picture.width, height: picture.height, png: png))
    }
  }

  /// Writes the records that wait.
  ///
  /// - Throws: `inputOutput` if the disk refuses; they then wait for the next call.
  package func write() throws(TrainingError) { try file.write() }

  private func add(step: Int, _ values: [Tensorboard_Summary.Value]) {
    add(step: step) { $0.summary.value = values }
  }

  private func add(step: Int, _ fill: (inout Tensorboard_Event) -> Void) {
    var event = Tensorboard_Event()
    event.wallTime = clock()
    event.step = Int64(step)
    fill(&event)
    file.hold(EventRecord.bytes(of: event))
  }

  private static let prefix = "events.out.tfevents."

  /// A name later in the alphabet than those in `folder`, for that is the order they are read in.
  private static func name(in folder: String, at time: Double) -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let times = names.filter { $0.hasPrefix(prefix) }.compactMap {
      Int($0.dropFirst(prefix.count).prefix { $0 != "." })
    }
    let second = max(Int(time), (times.max() ?? 0) + 1)
    return "\(prefix)\(second).\(ProcessInfo.processInfo.hostName).\(getpid())"
  }
}
