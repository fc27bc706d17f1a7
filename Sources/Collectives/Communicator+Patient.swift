import CMPI
import Glibc

// MPI's own wait by spinning, which takes a processor from those who compute. These start, look, and
// sleep between looks.
extension Communicator {
  /// Returns when every rank has come here, asleep meanwhile (MPI_Ibarrier, MPI 3.1, 5.12.1): for
  /// waits of seconds, since it notices the last rank up to 10 ms late.
  package func barrierPatiently() throws(CommunicationError) {
    guard size > 1 else { return }
    try patiently("waiting at a barrier", longestNap: 10_000) { request in
      cmpi_start_barrier(handle, &request)
    }
  }

  /// Starts something and returns when it has ended (MPI_Test, MPI 3.1, 3.7.3).
  ///
  /// - Parameter longestNap: microseconds between two looks, to which they grow from 20.
  private func patiently(
    _ operation: @autoclosure () -> String, longestNap: UInt32,
    start: (inout cmpi_request) -> Int32
  ) throws(CommunicationError) {
    var request: cmpi_request = 0
    try check(start(&request), operation(), rank: rank)
    var (isFinished, nap): (Int32, UInt32) = (0, 20)
    while true {
      try check(cmpi_test(&request, &isFinished), operation(), rank: rank)
      guard isFinished == 0 else { return }
      usleep(nap)
      nap = min(nap * 2, longestNap)
    }
  }
}
