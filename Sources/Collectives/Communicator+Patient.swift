import CMPI
import Glibc

// MPI's own wait by spinning, which takes a processor from those who compute. These start, look, and
// sleep between looks.
extension Communicator {
  /// Returns when every rank has come here, asleep meanwhile (MPI_Ibarrier, MPI 3.1, 5.12.1): for
  /// waits of seconds, since it notices the last rank up to 10 ms late.
  package func barrierPatiently() throws(CommunicationError) {
    guard size > 1 else { return }
    let operation = "waiting at a barrier"
    var request: cmpi_request = 0
    try check(cmpi_start_barrier(handle, &request), operation, rank: rank)
    try wait(for: operation, longestNap: 10_000) { cmpi_test(&request, &$0) }
  }

  /// Returns when what was started has ended (MPI_Test, MPI 3.1, 3.7.3).
  ///
  /// - Parameter longestNap: microseconds between two looks, to which they grow from 20; 100 to 1000 at
  ///   first were no better through shared memory.
  func wait(
    for operation: String, longestNap: UInt32, test: (_ hasEnded: inout Int32) -> Int32
  ) throws(CommunicationError) {
    var (hasEnded, nap): (Int32, UInt32) = (0, 20)
    while true {
      try check(test(&hasEnded), operation, rank: rank)
      guard hasEnded == 0 else { return }
      usleep(nap)
      nap = min(nap * 2, longestNap)
    }
  }
}
