import CMPI
import Tensors

/// A sum over all ranks that is under way; keeps its memory alive and must be waited for.
package struct Request: ~Copyable {
  private var handle: cmpi_request
  private let slice: FloatSlice
  private let rank: Int
  /// Whether the sum is complete, as far as `wait` or `test` have seen.
  package private(set) var isFinished: Bool

  init(_ handle: cmpi_request, of slice: FloatSlice, rank: Int) {
    (self.handle, self.slice, self.rank, isFinished) = (handle, slice, rank, false)
  }

  /// A request that had nothing to do: a world of one, or no floats.
  init(ended slice: FloatSlice, rank: Int) {
    (handle, self.slice, self.rank, isFinished) = (0, slice, rank, true)
  }

  deinit {
    precondition(
      isFinished, "a sum of \(slice.count) floats was dropped on rank \(rank): call wait()")
  }

  /// Blocks until the sum is complete (MPI_Wait, MPI 3.1, 3.7.3).
  package consuming func wait() throws(CommunicationError) {
    guard !isFinished else { return }
    isFinished = true
    try check(cmpi_wait(&handle), "summing \(slice.count) floats", rank: rank)
  }

  /// Lets MPI work on the sum for a moment and tells whether it is complete (MPI_Test).
  package mutating func test() throws(CommunicationError) -> Bool {
    guard !isFinished else { return true }
    var flag: Int32 = 0
    let status = cmpi_test(&handle, &flag)
    isFinished = flag != 0 || status != 0
    try check(status, "summing \(slice.count) floats", rank: rank)
    return isFinished
  }

  /// Gives the sum up because the job is about to end; MPI may still write to the memory, which
  /// therefore is never freed.
  consuming func abandon() {
    if !isFinished { _ = Unmanaged.passRetained(slice.buffer) }
    isFinished = true
  }
}
