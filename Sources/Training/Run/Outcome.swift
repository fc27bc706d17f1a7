extension Trainer {
  /// How a run ended, the same on every rank.
  package enum Outcome: Equatable, Sendable {
    case finished
    /// `--max-steps` were reached; `last` is written.
    case reachedStepLimit
    /// Every rank agreed to stop on a signal or time limit; `last` is written.
    case stopped
    /// Every rank agreed that the run cannot go on, so that nobody has to abort the others.
    case failed(TrainingError)

    /// The exit code of the program.
    package var exitCode: ExitCode {
      switch self {
      case .finished, .reachedStepLimit: .done
      case .stopped: .stopped
      case .failed(let error): error.exitCode
      }
    }

    var isFailure: Bool { if case .failed = self { true } else { false } }
  }
}
