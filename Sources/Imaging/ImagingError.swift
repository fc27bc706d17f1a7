/// What can go wrong with images, labels and data sets; each message names the file and the fix.
package enum ImagingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// An input file or folder that is not there (exit code 66).
  case missing(String)
  /// A file whose contents cannot be used (exit code 65).
  case badData(String)
  /// A file that could not be opened, read or written (exit code 74).
  case inputOutput(String)
  /// A request that the configuration must change for (exit code 78).
  case configuration(String)

  /// Whether a subject's own files are at fault, so that a run can do without it.
  package var isBadSubject: Bool {
    switch self {
    case .missing, .badData: true
    case .inputOutput, .configuration: false
    }
  }

  package var description: String {
    switch self {
    case .missing(let message), .badData(let message), .inputOutput(let message),
      .configuration(let message):
      message
    }
  }
}
