import CMPI

/// Why ranks could not work together; its description ends with what to try next.
package enum CommunicationError: Error, Equatable, CustomStringConvertible {
  /// An MPI routine returned an error: what was being done, MPI's own text, and on which rank.
  case failed(operation: String, reason: String, rank: Int)
  /// The MPI library cannot be called from more than the main thread.
  case noThreads
  /// A session was asked for twice, or after the first one ended.
  case secondSession
  /// A setting of the environment or command line that is not a number of threads.
  case badThreadCount(setting: String, value: String)
  /// srun started this many tasks that cannot find each other.
  case noPMIx(tasks: Int)

  package var description: String {
    switch self {
    case .failed(let operation, let reason, let rank):
      "rank \(rank): \(operation): \(reason); \(advice)"
    case .noThreads: "MPI gives no thread support; \(advice)"
    case .secondSession: "MPI was already started in this process; \(advice)"
    case .badThreadCount(let setting, let value):
      "\(setting) is '\(value)', not a number of threads; \(advice)"
    case .noPMIx(let tasks):
      "srun started \(tasks) tasks without PMIx: each would train alone; \(advice)"
    }
  }

  /// What the user can do next.
  package var advice: String {
    switch self {
    case .failed:
      "look for the first message of another rank, then check the network with `lkdist doctor`"
    case .noThreads:
      "use an Open MPI built with MPI_THREAD_SERIALIZED or higher (Debian's libopenmpi3 is)"
    case .secondSession: "start one session and keep it until the program ends"
    case .badThreadCount: "give a whole number of at least 1"
    case .noPMIx:
      "use `srun --mpi=pmix` if `srun --mpi=list` names it, else cluster/mpirun.sbatch"
    }
  }
}

extension CommunicationError {
  /// The exit code of the program: 64 usage, 70 internal, 71 lost rank.
  package var exitCode: Int32 {
    switch self {
    case .badThreadCount, .noPMIx: 64
    case .secondSession: 70
    case .failed, .noThreads: 71
    }
  }
}

/// Throws unless `status` is MPI's success.
func check(
  _ status: Int32, _ operation: @autoclosure () -> String, rank: Int
) throws(CommunicationError) {
  guard status != 0 else { return }
  var text = [CChar](repeating: 0, count: Int(CMPI_TEXT))
  cmpi_error_text(status, &text)
  let reason = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  throw .failed(
    operation: operation(), reason: reason.isEmpty ? "MPI error \(status)" : reason, rank: rank)
}
