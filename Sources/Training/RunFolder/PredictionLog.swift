/// What a rank tells of its predictions: on a terminal a bar for the subject at work, and a line for
/// each that is done.
package final class PredictionLog {
  private let sink: LogSink
  private let drawsBar: Bool
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
  ///   - drawsBar: whether the terminal's last line is this rank's.
  init(subjects: Int, isQuiet: Bool, drawsBar: Bool) {
    (self.subjects, self.drawsBar) = (subjects, drawsBar)
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
    guard drawsBar, sink.isInteractive, windows > 0 else { return }
    if let lastLine, done < windows, Self.seconds(since: lastLine) < 0.1 { return }
    lastLine = .now
    sink.progress(
      Self.line(
        name, subjects > 1 ? "(\(begun)/\(subjects))" : "", done: done, of: windows,
        seconds: Self.seconds(since: firstWindow), columns: sink.columns))
  }

  /// Such as "case_1 (2/9)  [##########..........]  9/18 windows  1.20 a second  8 s left", or less of it
  /// where there are fewer columns.
  package static func line(
    _ name: String, _ place: String = "", done: Int, of windows: Int, seconds: Double,
    columns: Int = 80
  ) -> String {
    let rate = done > 0 && seconds > 0 ? Double(done) / seconds : nil
    let speed = rate.map { Progress.rounded($0, $0 < 10 ? 2 : 0) + " a second" }
    let left = rate.map { Progress.duration(Double(windows - done) / $0) + " left" }
    let count = "\(done)/\(windows)"
    // Names of cases differ at the end.
    let (long, short) = (
      titled(name, place), titled(name.count > 16 ? "…" + name.suffix(15) : name, place)
    )
    let forms = [
      [long, bar(20, done, windows), count + " windows", speed, left],
      [long, bar(20, done, windows), count + " windows", left],
      [long, bar(10, done, windows), count, left], [short, bar(10, done, windows), count, left],
      [short, count, left], [short, count], [bar(10, done, windows), count],
    ].map { $0.compactMap { $0 }.joined(separator: "  ") }
    return forms.first { $0.count <= columns } ?? count
  }

  private static func titled(_ name: String, _ place: String) -> String {
    place.isEmpty ? name : "\(name) \(place)"
  }

  private static func bar(_ width: Int, _ done: Int, _ windows: Int) -> String {
    let filled = width * done / max(1, windows)
    return "[" + String(repeating: "#", count: filled)
      + String(repeating: ".", count: width - filled) + "]"
  }

  private static func seconds(since instant: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - instant) / .seconds(1)
  }
}
