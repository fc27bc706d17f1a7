import Tensors

/// How a flat block is dealt to ranks: of every bucket each rank has a run, its shard, so that all
/// ranks work on each bucket.
package struct ShardLayout: Sendable {
  /// The ranges of the buckets, from the end of the block to its start.
  package let buckets: [Range<Int>]
  private let ranks: Int
  private let unit: Int

  /// Shards of `buckets` that begin at multiples of `unit` floats, as every bucket must.
  package init(_ buckets: [Range<Int>], ranks: Int, unit: Int) {
    precondition(
      buckets.allSatisfy { $0.lowerBound % unit == 0 }, "buckets that cut runs of \(unit) floats")
    (self.buckets, self.ranks, self.unit) = (buckets, ranks, unit)
  }

  /// Every rank's shard of `bucket`, in flat offsets; some are empty if the bucket is small.
  package func shards(of bucket: Range<Int>) -> [Range<Int>] {
    let units = (bucket.count + unit - 1) / unit
    let bounds = (0...ranks).map {
      min(bucket.upperBound, bucket.lowerBound + units * $0 / ranks * unit)
    }
    return (0..<ranks).map { bounds[$0]..<bounds[$0 + 1] }
  }

  /// Every rank's shard of `bucket`, a run of the block, in offsets from its start.
  func shards(of bucket: FloatSlice) -> [Range<Int>] {
    shards(of: bucket.offset..<bucket.offset + bucket.count).map {
      $0.lowerBound - bucket.offset..<$0.upperBound - bucket.offset
    }
  }

  /// The shards of `rank` in the order of the block; empty ones are left out.
  package func shards(ofRank rank: Int) -> [Range<Int>] {
    buckets.reversed().map { shards(of: $0)[rank] }.filter { !$0.isEmpty }
  }
}
