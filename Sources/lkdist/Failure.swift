import ArgumentParser
import Collectives
import Foundation
import Imaging
import NN
import Training

/// The end of a command that failed: what is said, and the exit code.
enum Failure {
  /// Ends the process, and under a launcher the whole job, with the error's message and code.
  static func exit(with error: any Error) -> Never {
    guard let code = exitCode(of: error) else { LKDist.exit(withError: error) }
    fail("\(error)", code: code.rawValue)
  }

  /// The exit code of an error of ours; nil for one of the argument parser's.
  private static func exitCode(of error: any Error) -> Training.ExitCode? {
    switch error {
    case let error as TrainingError: error.exitCode
    case let error as ImagingError: error.exitCode
    case is ModelError: .configuration
    case let error as CommunicationError: Training.ExitCode(rawValue: error.exitCode)
    case is CocoaError, is DecodingError, is EncodingError: .internal
    default: nil
    }
  }
}
