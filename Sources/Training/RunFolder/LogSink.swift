import Files
import Glibc
import Logging
import Synchronization

/// Where messages and progress lines end: the log file and the terminal.
final class LogSink: Sendable {
  private struct State {
    /// Whether a progress line stands on the terminal.
    var isDrawn = false
    /// When the file got its last progress line, in seconds.
    var lastProgress: Double = -.infinity
  }

  private let state = Mutex(State())
  private let file: OutputFile?
  private let terminal: Terminal?
  private let isQuiet: Bool

  init(_ file: OutputFile?, terminal: Terminal?, isQuiet: Bool) {
    self.file = file
    self.terminal = terminal
    self.isQuiet = isQuiet
  }

  /// The columns of a progress line that is redrawn; the last one is left free, for some terminals go on
  /// below after it.
  var columns: Int { (terminal?.columns ?? 81) - 1 }

  /// Whether progress is one line that is redrawn.
  var isInteractive: Bool { terminal?.isInteractive == true && !isQuiet }

  /// Writes a message with the time to the file, and to the terminal unless that is to be quiet.
  func message(_ text: String, level: Logger.Level) {
    let mark = level >= .error ? "error: " : level == .warning ? "warning: " : ""
    state.withLock { state in
      append("\(Self.timestamp)  \(mark)\(text)\n")
      guard let terminal, !isQuiet || level >= .warning else { return }
      // Under mpirun the line may be another rank's.
      terminal.write((terminal.isInteractive ? Terminal.clear : "") + mark + text + "\n")
      state.isDrawn = false
    }
  }

  /// Shows `line` in the place of the last such line, or below it where lines cannot be redrawn.
  func progress(_ line: String) {
    state.withLock { state in
      let now = Double(time(nil))
      if now - state.lastProgress >= 10 {
        state.lastProgress = now
        append("\(Self.timestamp)  \(line)\n")
      }
      guard let terminal, !isQuiet else { return }
      guard terminal.isInteractive else { return terminal.write(line + "\n") }
      terminal.write(Terminal.clear + line.prefix(columns))
      state.isDrawn = true
    }
  }

  /// Lets the progress line stand and goes on below it.
  func endProgress() {
    state.withLock { state in
      if state.isDrawn { terminal?.write("\n") }
      state.isDrawn = false
    }
  }

  /// A log that cannot be written, on a full disk say, does not stop a run: the metrics do.
  private func append(_ text: String) {
    try? file?.write(text)
  }

  /// The time as in 2026-11-24T00:12:03Z.
  private static var timestamp: String {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var text = [UInt8](repeating: 0, count: 32)
    let count = text.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { buffer in
        buffer.baseAddress.map { strftime($0, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts) } ?? 0
      }
    }
    return String(decoding: text.prefix(count), as: UTF8.self)
  }
}

/// Sends a logger's messages to the run's sink.
struct RunLogHandler: LogHandler {
  let sink: LogSink
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(sink: LogSink) { self.sink = sink }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    let details = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    sink.message("\(event.message)\(details)", level: event.level)
  }
}
