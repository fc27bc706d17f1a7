import Collectives
import Foundation
import Imaging
import TestSupport
import Tensors
import Training

// Normalization and augmentation would bring an overflowing image back into range, or spread it.
private let untouched = ["data.normalization=none", "augmentation.preset=none"]

/// Steps that are not finite are skipped by all ranks, explained, and end the run if they go on.
func badStepTests() -> [MultiRankTest] {
  [
    MultiRankTest("a bad patch of one rank makes every rank skip the step") { world, checks in
      let trainer = try makeTrainer(world).trainer
      let before = hash(of: trainer.model.parameters.values.slice)
      let isBad = world.rank == world.size - 1
      var clock = PhaseClock()
      let bad = try trainer.step(
        [makePatch(isBad ? .nan : 1)], of: world.size, timedBy: &clock)
      checks.equal(bad.skipReason, .notFinite)
      checks.equal(hash(of: trainer.model.parameters.values.slice), before)
      checks.expect(trainer.optimizer.first.slice.values.allSatisfy { $0 == 0 })
      let good = try trainer.step([makePatch(1)], of: world.size, timedBy: &clock)
      checks.equal(good.skipReason, nil)
      checks.expect(hash(of: trainer.model.parameters.values.slice) != before)
    },
    MultiRankTest("the first place that is not finite is found") { world, checks in
      let trainer = try makeTrainer(world).trainer
      func place(_ value: Float) -> String? {
        trainer.firstBadPlace(of: makePatch(value), scale: 1)?.description
      }
      checks.equal(place(1), nil)
      checks.equal(place(.infinity), "the image itself")
      checks.equal(place(8e37), "the forward pass, in encoder.0")
      // Normalized values times these are still finite, sums of such numbers are not.
      try set("head.0.weight", to: 10, in: trainer)
      for (name, value, expected) in [
        ("decoder.0.block.norm2.weight", 3e37, "the forward pass, in head.0"),
        ("encoder.1.norm2.weight", 7e37, "the forward pass, in decoder.0"),
      ] {
        try set(name, to: Float(value), in: trainer)
        checks.equal(place(1), expected)
        try set(name, to: 1, in: trainer)
      }
      // The logits are finite, and so is the gradient of each voxel; its sums are not.
      try set("head.0.weight", to: 1e34, first: 16, in: trainer)
      try set("decoder.0.block.norm2.weight", to: 1e4, in: trainer)
      try set("decoder.0.block.conv2.weight", to: 1e-6, in: trainer)
      let backward = place(1) ?? "nowhere"
      checks.expect(
        backward.hasPrefix("the backward pass, in decoder.0.block.conv2."), backward)
      try set("encoder.1.conv2.bias", to: .nan, in: trainer)
      checks.equal(place(1), "the weights, in encoder.1.conv2.bias")
    },
    MultiRankTest("a bad subject is skipped and written, the run goes on") { world, checks in
      let (trainer, data) = try makeTrainer(
        world, overrides: untouched + ["training.epochs=2"] + wholeEpochs, bright: 1..<2)
      try trainer.folder.create()
      checks.equal(try withExtendedLifetime(data) { try trainer.run() }, .finished)
      checks.expect(trainer.model.parameters.values.slice.isFinite)
      let names = try badFiles(in: trainer.folder)
      checks.equal(try world.allreduceSum(names.count), 4)
      for name in names {
        checks.expect(name.contains("-case_1-"), name)
        guard name.hasSuffix("-image.nii.gz") else { continue }
        let written = try NIfTI.readImage("\(trainer.folder.badSteps)/\(name)")
        checks.expect(written.grid.values.allSatisfy { $0 == 1e38 })
      }
    },
    MultiRankTest("bad steps in a row end the run with the last good state") { world, checks in
      let overrides =
        untouched + ["training.stepsPerEpoch=2", "training.epochs=5", "training.maximumBadSteps=3"]
      let (first, data) = try makeTrainer(world, overrides: overrides)
      try first.folder.create()
      checks.equal(try first.run(maximumSteps: 3), .reachedStepLimit)
      let weights = hash(of: first.model.parameters.values.slice)
      // Another run, for files may not change while one goes on.
      let trainer = try makeTrainer(world, overrides: overrides, on: data, bright: 0..<4).trainer
      try trainer.resume(from: first.folder.checkpoints.last)
      let good = trainer.state
      let outcome = try withExtendedLifetime(data) { try trainer.run() }
      checks.equal(outcome.exitCode, .badData)
      checks.expect("\(outcome)".contains("3 steps in a row"), "\(outcome)")
      checks.equal(hash(of: trainer.model.parameters.values.slice), weights)
      checks.equal(trainer.state, good)
      guard world.rank == 0 else { return }
      let saved = try Checkpoint(trainer.folder.checkpoints.last).metadata()
      checks.equal(saved?.state.step, 3)
      checks.equal(saved?.state.patchesInEpoch, good.patchesInEpoch)
    },
  ]
}

private let wholeEpochs = ["training.stepsPerEpoch=null"]

private func badFiles(in folder: RunFolder) throws -> [String] {
  guard FileManager.default.fileExists(atPath: folder.badSteps) else { return [] }
  return try FileManager.default.contentsOfDirectory(atPath: folder.badSteps)
}

/// Noise around `value`, a box of label 1.
func makePatch(_ value: Float) -> Patch {
  var stream = RandomStream(seed: 3, purpose: "patch")
  let shape = Shape(channels: 1, extent: TinyDataset.extent)
  return Patch(
    image: VoxelGrid(shape, values: TinyDataset.labels.map { _ in value * Float(stream.normal()) }),
    labels: TinyDataset.labels, subject: "made", epoch: 0, position: 0,
    corner: VoxelIndex(z: 0, y: 0, x: 0))
}

/// Sets the first values of a parameter, all by default.
private func set(
  _ name: String, to value: Float, first: Int = .max, in trainer: Trainer
) throws {
  guard let parameter = trainer.model.parameters.parameter(name) else { throw NoSuch(name: name) }
  let values = trainer.model.parameters.values(of: parameter).mutableValues
  for index in 0..<min(first, values.count) { values[index] = value }
}
