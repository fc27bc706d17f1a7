import Tensors

/// The sum of gradients that travel as bfloat16: half the bytes, added in single precision.
///
/// A rank rounds its gradient plus what rounding took before (error feedback: Karimireddy et al.,
/// "Error Feedback Fixes SignSGD and other Gradient Compression Schemes", ICML 2019) and sends
/// every rank its shard. The owner adds them in rank order, rounds the sum once and sends it to all;
/// what that takes joins its own remainder, so that over the steps nothing is lost.
package struct CompressedSum: BucketSum {
  private let remainders: FloatBuffer
  // Of one bucket: what this rank sends, and its shard as each rank has it.
  private var outgoing: [UInt16] = []
  private var received: [UInt16] = []

  /// For a flat block of `count` gradients, each of which has a remainder, at first 0.
  package init(count: Int) { remainders = FloatBuffer(zeros: count) }

  package mutating func forget() { remainders.slice.mutableValues.update(repeating: 0) }

  package mutating func sum(
    _ bucket: FloatSlice, over communicator: Communicator
  ) throws(CommunicationError) {
    guard communicator.size > 1 else { return }
    let shards = communicator.shards(of: bucket.count)
    let own = shards[communicator.rank]
    let remainder = remainders.slice.slice(bucket.offset..<bucket.offset + bucket.count)
    reserve(bucket.count, received: communicator.size * own.count)

    BFloat16.round(bucket, plus: remainder, into: &outgoing)
    try communicator.exchangeShards(shards, of: outgoing, into: &received)
    let sum = bucket.slice(own)
    BFloat16.add(rows: communicator.size, of: received, into: sum)
    BFloat16.round(sum, addingLossTo: remainder.slice(own), into: &outgoing, at: own.lowerBound)
    try communicator.gatherShards(shards, of: &outgoing)
    BFloat16.widen(outgoing, into: bucket)
  }

  /// Makes room, once for all buckets that are not longer.
  private mutating func reserve(_ count: Int, received size: Int) {
    if outgoing.count < count { outgoing = [UInt16](repeating: 0, count: count) }
    if received.count < size { received = [UInt16](repeating: 0, count: size) }
  }
}
