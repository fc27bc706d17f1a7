import Imaging

/// A subject that could not be scored or segmented, and why; the others are.
struct SubjectFailure: Codable, Sendable {
  let subject: String
  let reason: String
  let code: ExitCode

  init(subject: String, reason: String, code: ExitCode) {
    self.subject = subject
    self.reason = reason
    self.code = code
  }

  init(_ subject: String, _ error: any Error) {
    let (text, name) = ("\(error)", "\(subject): ")
    let reason = text.hasPrefix(name) ? String(text.dropFirst(name.count)) : text
    let code =
      switch error {
      case let error as ImagingError: error.exitCode
      case let error as TrainingError: error.exitCode
      default: ExitCode.internal
      }
    self.init(subject: subject, reason: reason, code: code)
  }

  /// The lines that end a command's messages.
  static func text(of failures: [SubjectFailure]) -> String {
    guard !failures.isEmpty else { return "" }
    let count = failures.count == 1 ? "1 subject was" : "\(failures.count) subjects were"
    let lines = failures.map { "  \($0.subject): \($0.reason)" }
    return (["lkdist: \(count) not scored:"] + lines).joined(separator: "\n") + "\n"
  }

  /// The exit code where `done` subjects are done: that of an internal error or of files that could
  /// not be read or written before all, of the only kind of failure where nothing is done, such as
  /// missing input, else of bad data.
  static func exitCode(of failures: [SubjectFailure], done: Int) -> ExitCode {
    guard let first = failures.first else { return .done }
    for code in [ExitCode.internal, .inputOutput]
    where failures.contains(where: { $0.code == code }) {
      return code
    }
    let isOneKind = failures.allSatisfy { $0.code == first.code }
    return done == 0 && isOneKind ? first.code : .badData
  }
}

extension ExitCode: Codable {}
