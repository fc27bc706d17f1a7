import Collectives
import Foundation
import TestSupport
import Tensors
import Training

/// Steps whose gradient norm is an outlier are skipped by all ranks.
func outlierTests() -> [MultiRankTest] {
  [
    MultiRankTest("outliers are skipped by all ranks once 20 norms are known") { world, checks in
      let whole = try train(world)
      checks.equal(whole.updatesAfter20, 20)
      checks.expect((20..<40).contains(whole.updates), "\(whole.updates) updates")
      checks.equal(try world.allreduceMax(whole.updates), try world.allreduceMin(whole.updates))
      checks.equal(try world.allreduceMax(whole.hash), try world.allreduceMin(whole.hash))
      // What is known of norms belongs to the state that a run goes on from.
      checks.equal(try train(world, stoppingAt: 27), whole)
    },
    MultiRankTest("too many outliers in a row end the run") { world, checks in
      let (trainer, data) = try makeTrainer(
        world, overrides: steady + ["training.maximumBadSteps=1"])
      let outcome = try withExtendedLifetime(data) {
        try trainer.folder.create()
        return try trainer.run()
      }
      checks.equal(outcome.exitCode, .badData)
      checks.expect("\(outcome)".contains("a gradient norm that is an outlier"), "\(outcome)")
      checks.expect(trainer.state.step >= 20)
    },
  ]
}

/// So slow a run has norms that only scatter, of which so low a limit takes about half for outliers.
private let steady = [
  "training.outlierZScore=0.001", "optimizer.learningRate=1.0e-6", "training.stepsPerEpoch=40",
  "training.epochs=1", "training.maximumBadSteps=100",
]

private struct Result: Equatable {
  var updatesAfter20 = 0
  var updates = 0
  var hash = 0
}

/// Trains 40 steps, with a break after `pause`.
private func train(_ world: Communicator, stoppingAt pause: Int = 20) throws -> Result {
  var result = Result()
  var (trainer, data) = try makeTrainer(world, overrides: steady)
  try trainer.folder.create()
  _ = try trainer.run(maximumSteps: 20)
  result.updatesAfter20 = trainer.optimizer.step
  if pause > 20 {
    _ = try trainer.run(maximumSteps: pause)
    let path = trainer.folder.checkpoints.last
    let (other, others) = try makeTrainer(world, overrides: steady)
    try withExtendedLifetime(data) { try other.resume(from: path) }
    (trainer, data) = (other, others)
    try trainer.folder.create()
  }
  _ = try withExtendedLifetime(data) { try trainer.run() }
  result.updates = trainer.optimizer.step
  result.hash = hash(of: trainer.model.parameters.values.slice)
  return result
}
