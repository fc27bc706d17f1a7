import Imaging

/// A subject that could not be scored, and why; the others are.
struct SubjectFailure: Codable, Sendable {
  let subject: String
  let reason: String
  let code: ExitCode

  init(subject: String, reason: String, code: ExitCode) {
    self.subject = subject
    self.reason = reason
    self.code = code
  }

  init(_ subject: String, _ error: ImagingError) {
    let (text, name) = ("\(error)", "\(subject): ")
    let reason = text.hasPrefix(name) ? String(text.dropFirst(name.count)) : text
    self.init(subject: subject, reason: reason, code: error.exitCode)
  }

  /// The lines that end a command's messages.
  static func text(of failures: [SubjectFailure]) -> String {
    guard !failures.isEmpty else { return "" }
    let count = failures.count == 1 ? "1 subject was" : "\(failures.count) subjects were"
    let lines = failures.map { "  \($0.subject): \($0.reason)" }
    return (["lkdist: \(count) not scored:"] + lines).joined(separator: "\n") + "\n"
  }

  /// The exit code where `scored` subjects could be: that of files that could not be read before all,
  /// of missing input where nothing else was wrong and nothing was scored, else of bad data.
  static func exitCode(of failures: [SubjectFailure], scored: Int) -> ExitCode {
    guard let first = failures.first else { return .done }
    if failures.contains(where: { $0.code == .inputOutput }) { return .inputOutput }
    let isOneKind = failures.allSatisfy { $0.code == first.code }
    return scored == 0 && isOneKind ? first.code : .badData
  }
}

extension ExitCode: Codable {}
