import Collectives
import Tensors
import Testing

@Suite struct BucketTests {
  @Test(arguments: [(0, 4), (1, 4), (4, 4), (10, 4), (1001, 7), (3, 100)])
  func `buckets run from the end to the start and cover every float once`(
    count: Int, bucket: Int
  ) {
    let bounds = GradientReducer.bounds(of: count, bucketFloats: bucket)
    #expect(bounds.count == (count + bucket - 1) / bucket)
    #expect(bounds.reversed().flatMap { Array($0) } == Array(0..<count))
    #expect(bounds.dropFirst().allSatisfy { $0.count == bucket })
  }

  @Test func `a gather in rounds sends every byte once and never more than a round holds`() {
    let rounds = GatherRounds(sizes: [10, 0, 3], bytesPerRound: 9)
    #expect(rounds.count == 4)
    for (rank, size) in [10, 0, 3].enumerated() {
      #expect((0..<rounds.count).flatMap { rounds.range(of: rank, in: $0) } == Array(0..<size))
    }
    let largest = (0..<rounds.count).map { round in
      (0..<3).reduce(0) { $0 + rounds.range(of: $1, in: round).count }
    }.max()
    #expect((largest ?? 0) <= 9)
  }

  @Test func `a failed call says where, what, why and what next`() {
    let error = CommunicationError.failed(
      operation: "broadcasting 3 elements", reason: "MPI_ERR_ROOT", rank: 2)
    #expect(
      error.description.hasPrefix("rank 2: broadcasting 3 elements: MPI_ERR_ROOT; look for"))
  }
}
