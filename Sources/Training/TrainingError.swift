import Imaging

/// What the process tells its caller; the numbers are those of `sysexits.h` where one fits.
package enum ExitCode: Int32, Sendable {
  case done = 0
  case usage = 64
  /// Bad data, or too many bad steps.
  case badData = 65
  case missing = 66
  /// An internal error, or replicas that differ.
  case `internal` = 70
  /// A lost or hung rank.
  case lostRank = 71
  /// A file or checkpoint could not be read or written.
  case inputOutput = 74
  /// Stopped on a signal or time limit with a checkpoint written: run again to go on.
  case stopped = 75
  case configuration = 78
}

/// What can go wrong in training; each message names the file or key and what to do next.
package enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  case configuration(String)
  case missing(String)
  case badData(String)
  case inputOutput(String)
  /// A checkpoint that is not as it was written, and what is wrong with it.
  case damaged(file: String, reason: String)
  case stopped(String)
  case `internal`(String)

  package var description: String {
    switch self {
    case .configuration(let message), .missing(let message), .badData(let message),
      .inputOutput(let message), .stopped(let message), .internal(let message):
      message
    case .damaged(let file, let reason):
      "the checkpoint \(file) is damaged: \(reason); use another checkpoint, or remove this one to "
        + "start anew"
    }
  }

  /// The exit code that belongs to the error.
  package var exitCode: ExitCode {
    switch self {
    case .configuration: .configuration
    case .missing: .missing
    case .badData: .badData
    case .inputOutput, .damaged: .inputOutput
    case .stopped: .stopped
    case .internal: .internal
    }
  }
}

extension ImagingError {
  /// The exit code that belongs to the error.
  package var exitCode: ExitCode {
    switch self {
    case .missing: .missing
    case .badData: .badData
    case .inputOutput: .inputOutput
    case .configuration: .configuration
    }
  }
}
