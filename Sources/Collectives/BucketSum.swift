import Tensors

/// How one bucket of gradients becomes its sum over all ranks.
///
/// Written as straight-line code that returns when the sum is there: it runs on the communication
/// thread, where nothing else waits. Its communicator carries nothing but these sums.
package protocol BucketSum {
  /// Replaces `bucket`, a run of the flat block of gradients, by its sum over all ranks; all ranks
  /// get the same bits. Every rank calls it for the same buckets in the same order.
  mutating func sum(
    _ bucket: FloatSlice, over communicator: Communicator
  ) throws(CommunicationError)
}

/// The sum as MPI makes it, in single precision.
package struct PlainSum: BucketSum {
  package init() {}

  package func sum(
    _ bucket: FloatSlice, over communicator: Communicator
  ) throws(CommunicationError) {
    try communicator.allreduceSumPatiently(bucket)
  }
}
