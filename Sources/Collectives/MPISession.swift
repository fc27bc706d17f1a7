import CMPI
import Foundation
import Tensors

/// MPI from start to end: one per process, alone (a world of one rank) or under a launcher.
///
/// A session that goes away without `finalize()`, because an error is on its way to `fail`, does
/// not finalize: MPI_Finalize waits for the other ranks, which may be waiting for this one.
package struct MPISession: ~Copyable {
  /// Every rank of the job.
  package let world: Communicator

  /// Starts MPI with MPI_THREAD_MULTIPLE, or at least SERIALIZED ("MPI_Init_thread", MPI 3.1,
  /// 12.4.3), and sets errors to return.
  ///
  /// - Throws: `noPMIx`, `noThreads`, `secondSession` or what MPI says.
  package init() throws(CommunicationError) {
    guard cmpi_now() == CMPI_NOT_STARTED else { throw .secondSession }
    let step = SlurmStep(environment: ProcessInfo.processInfo.environment)
    try step?.prepare()
    var isSerialized: Int32 = 0
    try check(cmpi_start(&isSerialized), "starting MPI", rank: 0)
    guard isSerialized != 0 else { throw .noThreads }
    let ranks = try Communicator.ofTheWorld()
    try step?.check(worldSize: ranks.size)
    world = ranks
    // Not 71: another try, as of a lost rank, would need as much memory.
    OutOfMemory.ends { message in fail(message, code: 70) }
  }

  /// Ends MPI when every rank has come here ("MPI_Finalize", MPI 3.1, 8.7).
  package consuming func finalize() throws(CommunicationError) {
    try check(cmpi_end(), "ending MPI", rank: world.rank)
  }
}
