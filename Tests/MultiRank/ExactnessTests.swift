import Collectives
import Foundation
import TestSupport
import Tensors
import Training

/// Sums in one tree for any number of ranks; `compare` in TrainerTests trains with them.
func exactnessTests() -> [MultiRankTest] { treeSumTests() + reproducibleTests() }

private func treeSumTests() -> [MultiRankTest] {
  [
    MultiRankTest("buckets are summed in the balanced tree over ranks, to the bit") {
      world, checks in
      for (count, bucket) in [(1, 4), (1001, 64), (4096, 4096), (12345, 1000)] {
        let (all, expected) = sums(count: count, ranks: world.size)
        let block = all[world.rank]
        let reducer = try GradientReducer(
          block.slice, bucketFloats: bucket, over: try world.duplicate())
        reducer.gradientsAreFinal(from: count / 3)
        try reducer.finish()
        checks.expect(bits(block.slice) == expected, "\(count)/\(bucket)")
      }
    },
    MultiRankTest("a sum that keeps shards gives each rank its own, and they are the whole") {
      world, checks in
      for (count, bucket, unit) in [(12345, 1000, 8), (3, 4, 4), (4096, 512, 256)] {
        let (all, expected) = sums(count: count, ranks: world.size)
        let block = all[world.rank]
        let layout = ShardLayout(
          GradientReducer.bounds(of: count, bucketFloats: bucket), ranks: world.size, unit: unit)
        let reducer = try GradientReducer(
          block.slice, bucketFloats: bucket, by: PlainSum(keeping: layout),
          over: try world.duplicate())
        try reducer.finish()
        for shard in layout.shards(ofRank: world.rank) {
          checks.expect(bits(block.slice.slice(shard)) == Array(expected[shard]), "\(shard)")
        }
        try world.gather(block.slice, layout)
        checks.expect(bits(block.slice) == expected, "\(count)/\(bucket)/\(unit)")
      }
    },
    MultiRankTest("a rank without a patch changes no sum, not even one of -0") { world, checks in
      let block = FloatBuffer(zeros: 100)
      block.slice.mutableValues.update(repeating: -0.0)
      // In a short step the last ranks have none.
      if world.rank == 0 { block.pointer[3] = 5 }
      let reducer = try GradientReducer(
        block.slice, bucketFloats: 64, over: try world.duplicate())
      try reducer.finish()
      checks.equal(block.pointer[3], 5)
      checks.equal(block.pointer[4].bitPattern, Float(-0.0).bitPattern)
    },
  ]
}

private func reproducibleTests() -> [MultiRankTest] {
  [
    MultiRankTest("threads do not change a run's bits") { world, checks in
      let overrides = reproducible + ["training.accumulate=2"]
      let hashes = try [1, 2, 3].map { threads in
        let (trainer, data) = try makeTrainer(world, overrides: overrides, threads: threads)
        return try withExtendedLifetime(data) {
          try trainer.folder.create()
          _ = try trainer.run(maximumSteps: 4)
          return hash(of: trainer.model.parameters.values.slice)
        }
      }
      checks.equal(Set(hashes).count, 1)
    }
  ]
}

/// Gradients are summed in the tree, in buckets small enough for several.
let reproducible = ["distributed.reproducible=true", "distributed.bucketMiB=0.0625"]

/// Every rank's random floats, and the bits of their sum in the tree.
private func sums(count: Int, ranks: Int) -> (all: [FloatBuffer], expected: [UInt32]) {
  let all = (0..<ranks).map { randomBuffer(count: count, rank: $0) }
  return (all, treeSum(all.map { Array($0.slice.values) }).map(\.bitPattern))
}

func bits(_ slice: FloatSlice) -> [UInt32] { slice.values.map(\.bitPattern) }
