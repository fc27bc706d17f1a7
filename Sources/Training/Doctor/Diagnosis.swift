import Imaging

/// One line of what `lkdist doctor` found.
package struct Diagnosis: Equatable, Sendable {
  /// How bad it is.
  package enum Status: String, CaseIterable, Sendable {
    case ok
    /// Training works, but slower or with less memory than it could.
    case warning
    /// Training would fail, or each rank would train alone.
    case error
  }
  /// What was looked at, in a word or two.
  package let check: String
  package let status: Status
  /// What was seen.
  package let message: String
  /// What to do; nil where all is well.
  package let fix: String?

  static func ok(_ check: String, _ message: String) -> Diagnosis {
    Diagnosis(check: check, status: .ok, message: message, fix: nil)
  }

  static func warning(_ check: String, _ message: String, fix: String) -> Diagnosis {
    Diagnosis(check: check, status: .warning, message: message, fix: fix)
  }

  static func error(_ check: String, _ message: String, fix: String) -> Diagnosis {
    Diagnosis(check: check, status: .error, message: message, fix: fix)
  }
}

/// All that was found, in the order in which it was looked at.
package struct DoctorReport: Sendable {
  package let lines: [Diagnosis]

  /// How many lines have a status.
  package func count(_ status: Diagnosis.Status) -> Int { lines.count { $0.status == status } }

  /// The lines for people; quiet leaves out what is well.
  package func text(isQuiet: Bool) -> String {
    let shown = lines.filter { !isQuiet || $0.status != .ok }
    let verdict = "\(count(.error)) errors, \(count(.warning)) warnings"
    return (shown.flatMap(Self.rows) + [verdict]).map { $0 + "\n" }.joined()
  }

  private static func rows(of line: Diagnosis) -> [String] {
    let status = line.status.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
    let check = line.check.padding(toLength: 14, withPad: " ", startingAt: 0)
    let indent = String(repeating: " ", count: 23)
    return [status + check + line.message] + (line.fix.map { [indent + "fix: " + $0] } ?? [])
  }

  /// The same for programs.
  package var json: JSON {
    [
      "lines": .array(
        lines.map { line in
          [
            "check": .string(line.check), "status": .string(line.status.rawValue),
            "message": .string(line.message), "fix": line.fix.map(JSON.string) ?? .null,
          ]
        }),
      "errors": .integer(count(.error)), "warnings": .integer(count(.warning)),
    ]
  }
}
