/// One thing that is wrong with a data set, or worth knowing of it.
package struct Finding: Hashable, Sendable {
  /// What it means for training.
  package enum Severity: String, CaseIterable, Sendable {
    /// Training refuses the file.
    case error
    /// Training goes on, but its result is likely to suffer.
    case warning
    /// Worth knowing.
    case note
  }

  /// What it is about; scripts tell findings apart by it.
  package enum Kind: String, Sendable {
    case unreadable
    case grid
    case channels
    case nonFinite = "non-finite"
    case constant
    case labelValue = "label-value"
    case rounding
    case emptyLabels = "empty-labels"
    case duplicate
    case orientation
    case placement
    case absentClass = "absent-class"
    case dataset
  }

  /// What `--fix` can do about it without guessing.
  package enum Correction: Hashable, Sendable {
    /// The file gets the place in space of the subject's first image.
    case grid(of: String)
    /// NaN and infinite voxels become 0.
    case zeros
    /// Labels become the whole numbers they are read as.
    case wholeLabels
  }

  package let severity: Severity
  package let kind: Kind
  /// The subject's identifier; nil for what is about the data set as a whole.
  package var subject: String?
  package var file: String?
  /// What is wrong.
  package let problem: String
  /// What to do about it; nil where nothing needs doing.
  package var remedy: String?
  package var correction: Correction?

  init(
    _ severity: Severity, _ kind: Kind, subject: String? = nil, file: String? = nil,
    _ problem: String, remedy: String? = nil, correction: Correction? = nil
  ) {
    self.severity = severity
    self.kind = kind
    self.subject = subject
    self.file = file
    self.problem = problem
    self.remedy = remedy
    self.correction = correction
  }

  /// A file that cannot be read; messages of `ImagingError` end with what to do.
  init(unreadable file: String, subject: String, _ message: String) {
    var problem = message[...]
    if problem.hasPrefix(file) {
      problem = problem.dropFirst(file.count).drop { ": ".contains($0) }
    }
    let semicolon = problem.lastIndex(of: ";")
    self.init(
      .error, .unreadable, subject: subject, file: file,
      String(problem[..<(semicolon ?? problem.endIndex)]),
      remedy: semicolon.map { String(problem[problem.index(after: $0)...].drop { $0 == " " }) })
  }
}
