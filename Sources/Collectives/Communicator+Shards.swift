import CMPI
import Glibc
import Tensors

// Sums by shards, for a communication thread: each rank owns a shard of a bucket, receives it from
// all, adds, and sends the sum to all. MPI's own calls wait by spinning, which takes a processor
// from the threads that compute; these start, look, and sleep between looks.
extension Communicator {
  /// The shards of `count` elements, one for each rank in order, as equal as can be.
  func shards(of count: Int) -> [Range<Int>] {
    (0..<size).map { count * $0 / size..<count * ($0 + 1) / size }
  }

  /// Sends each rank its shard of `data` and receives this rank's from all, own included: `received`
  /// holds them one after the other, in rank order (MPI_Isend, MPI_Irecv, MPI 3.1, 3.7.2).
  func exchangeShards<Element: BitwiseCopyable>(
    _ shards: [Range<Int>], of data: UnsafePointer<Element>,
    into received: UnsafeMutablePointer<Element>
  ) throws(CommunicationError) {
    let own = shards[rank]
    (received + rank * own.count).update(from: data + own.lowerBound, count: own.count)
    try withEachOther("exchanging shards") { other, requests throws(CommunicationError) in
      requests.append(try receive(received + other * own.count, own.count, from: other))
      requests.append(try send(data + shards[other].lowerBound, shards[other].count, to: other))
    }
  }

  /// Sends this rank's shard of `data` to all, and receives theirs into it.
  func gatherShards<Element: BitwiseCopyable>(
    _ shards: [Range<Int>], of data: UnsafeMutablePointer<Element>
  ) throws(CommunicationError) {
    let own = shards[rank]
    try withEachOther("gathering shards") { other, requests throws(CommunicationError) in
      requests.append(
        try receive(data + shards[other].lowerBound, shards[other].count, from: other))
      requests.append(try send(data + own.lowerBound, own.count, to: other))
    }
  }

  /// Completes `block`, of which each rank has its `shards` of a layout, on every rank. Collective.
  package func gather(_ block: FloatSlice, _ layout: ShardLayout) throws(CommunicationError) {
    for bucket in layout.buckets {
      try gatherShards(layout.shards(of: bucket), of: block.pointer)
    }
  }

  // MARK: - Messages

  /// Calls `start` for each other rank, the next one first, so that not all begin with rank 0; then
  /// waits for what was started (MPI_Test, MPI 3.1, 3.7.3).
  private func withEachOther(
    _ operation: String,
    start: (_ other: Int, _ requests: inout [cmpi_request]) throws(CommunicationError) -> Void
  ) throws(CommunicationError) {
    var requests: [cmpi_request] = []
    for step in 1..<max(size, 1) { try start((rank + step) % size, &requests) }
    try wait(for: operation, longestNap: 200) {
      cmpi_test_all(&requests, Int32(requests.count), &$0)
    }
  }

  func send<Element: BitwiseCopyable>(
    _ data: UnsafePointer<Element>, _ count: Int, to other: Int
  ) throws(CommunicationError) -> cmpi_request {
    let bytes = Int32(count * MemoryLayout<Element>.stride)
    return try start("sending to rank \(other)") {
      cmpi_start_send(handle, data, bytes, Int32(other), &$0)
    }
  }

  func receive<Element: BitwiseCopyable>(
    _ data: UnsafeMutablePointer<Element>, _ count: Int, from other: Int
  ) throws(CommunicationError) -> cmpi_request {
    let bytes = Int32(count * MemoryLayout<Element>.stride)
    return try start("receiving from rank \(other)") {
      cmpi_start_receive(handle, data, bytes, Int32(other), &$0)
    }
  }

  private func start(
    _ operation: String, _ message: (inout cmpi_request) -> Int32
  ) throws(CommunicationError) -> cmpi_request {
    var request: cmpi_request = 0
    try check(message(&request), operation, rank: rank)
    return request
  }
}
