import Collectives
import Tensors
import Training

/// Checkpoints that are written while training goes on, agreed by all ranks.
func checkpointTests() -> [MultiRankTest] {
  [
    MultiRankTest("a checkpoint of any moment leads to the same bits") { world, checks in
      let epochs = ["training.stepsPerEpoch=8", "training.epochs=2", "data.folds=4"]
      let often = ["training.checkpointMinutes=1.0e-6", "training.keep=9"]
      let (trainer, data) = try makeTrainer(world, overrides: epochs + often)
      try trainer.folder.create()
      checks.equal(try trainer.run(), .finished)
      let final = hash(of: trainer.model.parameters.values.slice)
      // The root's disk decides how many there are and of which steps.
      let saved = try steps(in: trainer.folder.checkpoints, world: world)
      checks.expect(saved.count > 2, "\(saved)")
      checks.expect(saved.contains { $0.step % 8 != 0 }, "none within an epoch: \(saved)")
      for (path, step) in saved.dropFirst() {
        let (again, moreData) = try makeTrainer(world, overrides: epochs)
        try again.folder.create()
        try again.resume(from: path)
        checks.equal(again.state.step, step)
        checks.equal(try again.run(), .finished)
        checks.equal(hash(of: again.model.parameters.values.slice), final)
        withExtendedLifetime(moreData) {}
      }
      withExtendedLifetime(data) {}
    },
    MultiRankTest("a checkpoint that cannot be written fails at the end only") { world, checks in
      let (trainer, data) = try makeTrainer(
        world, overrides: ["training.stepsPerEpoch=2", "training.epochs=3"])
      // The folder was not made: every write fails, and only the root minds.
      do {
        checks.equal(try trainer.run(), .finished)
        checks.expect(world.rank > 0, "the root finished")
      } catch let error as TrainingError {
        checks.equal(error.exitCode, .inputOutput)
        checks.expect(world.rank == 0, "\(error)")
      }
      checks.equal(trainer.state.epoch, 3)
      checks.equal(trainer.state.bestScore, nil)
      withExtendedLifetime(data) {}
    },
  ]
}

/// The root's checkpoints, newest first, on every rank; paths are the root's.
private func steps(
  in folder: CheckpointFolder, world: Communicator
) throws -> [(path: String, step: Int)] {
  var lines: [String] = []
  if world.rank == 0 {
    lines = try folder.resumable.map { path in
      "\(try Checkpoint(path).metadata()?.state.step ?? -1) \(path)"
    }
  }
  return try world.broadcast(lines.joined(separator: "\n")).split(separator: "\n").map { line in
    let parts = line.split(separator: " ", maxSplits: 1)
    return (String(parts[1]), Int(parts[0]) ?? -1)
  }
}
