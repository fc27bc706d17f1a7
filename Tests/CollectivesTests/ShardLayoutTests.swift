import Collectives
import Testing

@Suite struct ShardLayoutTests {
  @Test(arguments: [(10_000, 1024, 16, 3), (1, 16, 16, 4), (4096, 512, 512, 2), (777, 64, 16, 7)])
  func `shards cover a block once and begin with whole runs`(
    count: Int, bucket: Int, unit: Int, ranks: Int
  ) {
    let buckets = GradientReducer.bounds(of: count, bucketFloats: bucket)
    let layout = ShardLayout(buckets, ranks: ranks, unit: unit)
    let all = (0..<ranks).flatMap { layout.shards(ofRank: $0) }
      .sorted { $0.lowerBound < $1.lowerBound }
    #expect(all.flatMap { Array($0) } == Array(0..<count))
    #expect(all.allSatisfy { $0.lowerBound % unit == 0 })
    for bucket in buckets {
      let shards = layout.shards(of: bucket)
      #expect(shards.count == ranks)
      #expect(shards.flatMap { Array($0) } == Array(bucket))
    }
  }

  @Test func `ranks have equal shares of a large bucket`() {
    let layout = ShardLayout([0..<1 << 20], ranks: 5, unit: 1 << 12)
    let counts = (0..<5).map { layout.shards(ofRank: $0)[0].count }
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1 << 12)
  }
}
