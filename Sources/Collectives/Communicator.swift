import CMPI
import Tensors

/// A group of ranks that talk to each other; lives as long as the program.
///
/// All ranks must make the same calls in the same order. In a world of one every call returns at
/// once with the rank's own values.
package final class Communicator: Sendable {
  /// This process's place, 0..<size; rank 0 is the root.
  package let rank: Int
  /// The number of ranks.
  package let size: Int
  /// This process's place among the ranks of its host, 0..<localSize.
  package let localRank: Int
  /// The number of ranks on this host.
  package let localSize: Int
  /// The name of this host.
  package let hostName: String

  let handle: cmpi_comm
  private let hostHandle: cmpi_comm
  /// The most elements in one MPI call: MPI 3.1 counts are 32-bit; tests make it small.
  let chunk: Int

  /// 2^26 elements, 256 MiB of floats: far below 2^31, large enough to cost nothing.
  private static let largestChunk = 1 << 26

  private init(
    handle: cmpi_comm, hostHandle: cmpi_comm, chunk: Int = largestChunk
  ) throws(CommunicationError) {
    let world = try Self.place(in: handle)
    let host = try Self.place(in: hostHandle)
    (rank, size) = world
    (localRank, localSize) = host
    hostName = nameOfThisHost()
    self.handle = handle
    self.hostHandle = hostHandle
    self.chunk = chunk
  }

  /// MPI_COMM_WORLD with the ranks of this host (MPI_Comm_split_type, MPI 3.1, 6.4.2).
  static func ofTheWorld() throws(CommunicationError) -> Communicator {
    var (world, host): (cmpi_comm, cmpi_comm) = (0, 0)
    try check(cmpi_world(&world), "finding the world", rank: 0)
    let rank = try place(in: world).rank
    try check(cmpi_split_by_host(world, &host), "finding the ranks of this host", rank: rank)
    return try Communicator(handle: world, hostHandle: host)
  }

  private static func place(
    in handle: cmpi_comm
  ) throws(CommunicationError) -> (rank: Int, size: Int) {
    var (rank, size): (Int32, Int32) = (0, 0)
    try check(cmpi_place(handle, &rank, &size), "finding this rank's place", rank: 0)
    return (Int(rank), Int(size))
  }

  /// The same ranks with messages of their own (MPI_Comm_dup), for another thread or purpose.
  ///
  /// - Parameter chunk: the most elements in one MPI call, 1...2^31-1.
  package func duplicate(chunk: Int? = nil) throws(CommunicationError) -> Communicator {
    let chunk = chunk ?? self.chunk
    precondition(chunk >= 1 && chunk <= Int(Int32.max), "a chunk of \(chunk) elements")
    var copy: cmpi_comm = 0
    try check(cmpi_duplicate(handle, &copy), "duplicating a communicator", rank: rank)
    return try Communicator(handle: copy, hostHandle: hostHandle, chunk: chunk)
  }

  /// The ranks of this host only, in the same order.
  package func ofThisHost() throws(CommunicationError) -> Communicator {
    try Communicator(handle: hostHandle, hostHandle: hostHandle, chunk: chunk)
  }

  /// Returns when every rank has come here (MPI_Barrier).
  package func barrier() throws(CommunicationError) {
    guard size > 1 else { return }
    try check(cmpi_barrier(handle), "waiting at a barrier", rank: rank)
  }

  /// Whether several threads may call MPI at the same time (MPI_THREAD_MULTIPLE).
  package func allowsThreads() throws(CommunicationError) -> Bool {
    var isMultiple: Int32 = 0
    try check(cmpi_threads(&isMultiple), "asking for the thread level", rank: rank)
    return isMultiple != 0
  }

  /// Ends the job with `code` on every rank, without a message; `fail` prints one.
  package func abort(code: Int32) -> Never { endJob(code: code) }

  // MARK: - Floats

  /// Copies the root's floats to every rank, in place (MPI_Bcast, MPI 3.1, 5.4).
  ///
  /// - Throws: what MPI says; a `root` outside the ranks is left for MPI to find.
  package func broadcast(_ slice: FloatSlice, root: Int = 0) throws(CommunicationError) {
    try broadcast(slice.pointer, count: slice.count, type: CMPI_FLOAT, root: root)
  }

  /// Adds the floats of all ranks, in place; all ranks get the same bits (MPI_Allreduce, MPI 3.1,
  /// 5.9.6).
  package func allreduceSum(_ slice: FloatSlice) throws(CommunicationError) {
    try allreduce(slice.pointer, count: slice.count, type: CMPI_FLOAT, CMPI_SUM)
  }

  // MARK: - Memory of any type, a chunk at a time

  func broadcast<Element>(
    _ data: UnsafeMutablePointer<Element>, count: Int, type: cmpi_type, root: Int
  ) throws(CommunicationError) {
    guard size > 1 else { return }
    for start in stride(from: 0, to: count, by: chunk) {
      let part = Int32(min(chunk, count - start))
      try check(
        cmpi_broadcast(handle, data + start, part, type, Int32(clamping: root)),
        "broadcasting \(count) elements from rank \(root)", rank: rank)
    }
  }

  func allreduce<Element>(
    _ data: UnsafeMutablePointer<Element>, count: Int, type: cmpi_type, _ operation: cmpi_operation
  ) throws(CommunicationError) {
    guard size > 1 else { return }
    for start in stride(from: 0, to: count, by: chunk) {
      let part = Int32(min(chunk, count - start))
      try check(
        cmpi_allreduce(handle, data + start, part, type, operation),
        "reducing \(count) elements", rank: rank)
    }
  }
}
