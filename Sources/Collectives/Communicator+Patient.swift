import CMPI
import Glibc
import Tensors

// Calls for a communication thread. MPI's own wait by spinning, which takes a processor from the
// threads that compute; these start, look, and sleep between looks.
extension Communicator {
  /// Adds the floats of all ranks, in place; all ranks get the same bits (MPI_Iallreduce, MPI 3.1,
  /// 5.12.8). At most 2^31-1 floats.
  package func allreduceSumPatiently(_ slice: FloatSlice) throws(CommunicationError) {
    try patiently("summing \(slice.count) floats") { request in
      cmpi_start_allreduce(
        handle, slice.pointer, Int32(slice.count), CMPI_FLOAT, CMPI_SUM, &request)
    }
  }

  /// Starts something and returns when it has ended (MPI_Test, MPI 3.1, 3.7.3).
  private func patiently(
    _ operation: @autoclosure () -> String, start: (inout cmpi_request) -> Int32
  ) throws(CommunicationError) {
    var request: cmpi_request = 0
    try check(start(&request), operation(), rank: rank)
    var (isFinished, nap): (Int32, UInt32) = (0, shortestNap)
    while true {
      try check(cmpi_test(&request, &isFinished), operation(), rank: rank)
      guard isFinished == 0 else { return }
      usleep(nap)
      nap = min(nap * 2, longestNap)
    }
  }

  /// Whether several threads may call MPI at the same time (MPI_THREAD_MULTIPLE).
  func allowsThreads() throws(CommunicationError) -> Bool {
    var isMultiple: Int32 = 0
    try check(cmpi_threads(&isMultiple), "asking for the thread level", rank: rank)
    return isMultiple != 0
  }
}

/// Microseconds between two looks.
private let (shortestNap, longestNap): (UInt32, UInt32) = (20, 200)
