/// What a rank tells of its predictions: on a terminal a bar for the subject at work, and a line for
/// each that is done.
package final class PredictionLog {
  private let sink: LogSink
  private let subjects: Int
  private var begun = 0
  private var name = ""
  private var windows = 0
  private var done = 0
  private var start = ContinuousClock.now
  private var firstWindow = ContinuousClock.now
  private var lastLine: ContinuousClock.Instant?

  /// - Parameters:
  ///   - subjects: the number that this rank will take up.
  ///   - isQuiet: whether to tell warnings and errors only.
  init(subjects: Int, isQuiet: Bool) {
    self.subjects = subjects
    sink = LogSink(nil, terminal: .standardError, isQuiet: isQuiet)
  }

  /// A subject is taken up.
  func begin(_ name: String) {
    (self.name, begun) = (name, begun + 1)
    (windows, done, lastLine, start) = (0, 0, nil, .now)
  }

  /// Windows are about to be run for the subject.
  func willRun(_ count: Int) {
    (windows, firstWindow) = (count, .now)
    draw()
  }

  /// A window is done.
  func didWindow() {
    done += 1
    draw()
  }

  /// The subject's label map is written.
  func wrote(_ path: String) {
    sink.message("wrote \(path) (\(Progress.duration(Self.seconds(since: start))))", level: .info)
  }

  func warn(_ text: String) { sink.message(text, level: .warning) }

  func fail(_ text: String) { sink.message(text, level: .error) }

  /// At most ten times a second.
  private func draw() {
    guard sink.isInteractive, windows > 0 else { return }
    if let lastLine, done < windows, Self.seconds(since: lastLine) < 0.1 { return }
    lastLine = .now
    let line = Self.line(
      subjects > 1 ? "\(name) (\(begun)/\(subjects))" : name, done: done, of: windows,
      seconds: Self.seconds(since: firstWindow))
    sink.progress(line)
  }

  /// Such as "case_1 (2/9)  [##########..........]  9/18 windows  1.20 a second  8 s left".
  package static func line(_ name: String, done: Int, of windows: Int, seconds: Double) -> String {
    let width = 20
    let filled = width * done / max(1, windows)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    var parts = [name, "[\(bar)]", "\(done)/\(windows) windows"]
    if done > 0, seconds > 0 {
      let rate = Double(done) / seconds
      parts.append(Progress.rounded(rate, rate < 10 ? 2 : 0) + " a second")
      parts.append(Progress.duration(Double(windows - done) / rate) + " left")
    }
    return parts.joined(separator: "  ")
  }

  private static func seconds(since instant: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - instant) / .seconds(1)
  }
}
