import Collectives
import Foundation
import TestSupport
import Tensors
import Training

/// Moments that are spread over the ranks give the same run.
func shardTests() -> [MultiRankTest] {
  [
    MultiRankTest("sharded equals unsharded, to the bit") { world, checks in
      for mode in [reproducible, Array(reproducible[1...]), ["distributed.compression=bf16"]] {
        let clipped = mode + ["optimizer.maximumGradientNorm=0.5"]
        let whole = try train(world, clipped)
        checks.equal(try train(world, clipped + sharded), whole)
      }
    },
    MultiRankTest("ranks keep a share of the moments each") { world, checks in
      let trainer = try makeTrainer(world, overrides: reproducible + sharded).trainer
      let count = trainer.optimizer.first.count
      let all = trainer.model.parameters.count
      checks.equal(try world.allreduceSum(count), all)
      // Shards are whole runs of 4096 floats: up to one more of each bucket of 16384.
      let most = all / world.size + 4096 * (all / 16384 + 1)
      checks.expect(count <= most, "\(count) of \(all)")
    },
    MultiRankTest("a checkpoint goes on with and without shards") { world, checks in
      let whole = try train(world, reproducible, steps: 6)
      for (before, after) in [(sharded, sharded), (sharded, []), ([], sharded)] {
        let (first, data) = try makeTrainer(world, overrides: reproducible + before)
        try first.folder.create()
        checks.equal(try first.run(maximumSteps: 3), .reachedStepLimit)
        let (second, others) = try makeTrainer(world, overrides: reproducible + after)
        try withExtendedLifetime((data, others)) {
          try second.resume(from: first.folder.checkpoints.last)
          try second.folder.create()
          _ = try second.run()
        }
        checks.equal(hash(of: second.model.parameters.values.slice), whole)
      }
    },
    MultiRankTest("a replica is repaired where moments are sharded", ranks: 2...4) {
      world, checks in
      let trainer = try makeTrainer(
        world, overrides: reproducible + sharded + ["distributed.onReplicaMismatch=repair"]
      ).trainer
      let before = hash(of: trainer.model.parameters.values.slice)
      if world.rank == world.size - 1 { try flipBit(of: "head.0.weight", in: trainer) }
      checks.equal(try trainer.checkReplicas(), nil)
      checks.equal(hash(of: trainer.model.parameters.values.slice), before)
    },
  ]
}

private let sharded = ["optimizer.shard=true"]

/// Trains `steps` steps of 6 and returns a hash of the weights, which all ranks must share.
private func train(
  _ world: Communicator, _ overrides: [String], steps: Int = 4
) throws -> Int {
  let (trainer, data) = try makeTrainer(world, overrides: overrides)
  return try withExtendedLifetime(data) {
    try trainer.folder.create()
    _ = try trainer.run(maximumSteps: steps)
    let hash = hash(of: trainer.model.parameters.values.slice)
    guard try world.allreduceMax(hash) == world.allreduceMin(hash) else { return -1 - world.rank }
    return hash
  }
}
