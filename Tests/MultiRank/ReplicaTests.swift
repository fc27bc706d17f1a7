import Collectives
import TestSupport
import Tensors
import Training

/// One flipped bit in one replica is caught and named, or repaired.
func replicaTests() -> [MultiRankTest] {
  [
    MultiRankTest("equal replicas pass the check") { world, checks in
      let trainer = try makeTrainer(world).trainer
      checks.equal(try trainer.checkReplicas(), nil)
    },
    MultiRankTest("one flipped bit in one replica is caught and named", ranks: 2...4) {
      world, checks in
      for odd in 1..<world.size {
        let trainer = try makeTrainer(world).trainer
        let name = "decoder.0.block.conv1.weight"
        if world.rank == odd { try flipBit(of: name, in: trainer) }
        let error = try trainer.checkReplicas()
        let message = "\(error.map(String.init(describing:)) ?? "no error")"
        checks.equal(error?.exitCode, .internal)
        checks.expect(message.contains("the weights of rank \(odd)"), message)
        checks.expect(message.contains("(first in \(name))"), message)
        checks.expect(message.contains("(no majority") == (world.size == 2), message)
        checks.expect(world.rank > 0 || message.contains("on \(world.hostName)"), message)
      }
    },
    MultiRankTest("the root is found odd where the others agree", ranks: 3...4) { world, checks in
      let trainer = try makeTrainer(world).trainer
      if world.rank == 0 { try flipBit(of: "encoder.0.conv1.bias", in: trainer) }
      let message = try trainer.checkReplicas().map { "\($0)" } ?? ""
      checks.expect(message.contains("the weights of rank 0"), message)
      checks.expect(message.contains("differ from those of rank 1"), message)
    },
    MultiRankTest("repair sends the majority's weights and moments to all", ranks: 2...4) {
      world, checks in
      let trainer = try makeTrainer(
        world, overrides: ["distributed.onReplicaMismatch=repair"]
      ).trainer
      let before = hash(of: trainer.model.parameters.values.slice)
      if world.rank == world.size - 1 {
        try flipBit(of: "encoder.0.conv1.weight", in: trainer)
        trainer.optimizer.second.pointer[5] = 3
      }
      checks.equal(try trainer.checkReplicas(), nil)
      checks.equal(hash(of: trainer.model.parameters.values.slice), before)
      checks.equal(trainer.optimizer.second.pointer[5], 0)
      checks.equal(try trainer.checkReplicas(), nil)
    },
    MultiRankTest("a run checks at the configured steps and stops", ranks: 2...4) {
      world, checks in
      let (trainer, data) = try makeTrainer(
        world, overrides: ["distributed.checkReplicasEvery=2", "training.stepsPerEpoch=3"])
      if world.rank == world.size - 1 { try flipBit(20, of: "head.0.weight", in: trainer) }
      let outcome = try withExtendedLifetime(data) { try trainer.run() }
      checks.equal(outcome.exitCode, .internal)
      checks.equal(trainer.state.step, 2)
    },
  ]
}

/// A trainer on a tiny data set of each rank's own; the same seeds give the same bytes. The data
/// set lies on the disk as long as its value lives.
///
/// - Parameters:
///   - data: the data set; nil for a new one.
///   - bright: the subjects whose voxels all become 1e38.
func makeTrainer(
  _ world: Communicator, overrides: [String] = [], threads: Int = 1,
  on data: TinyDataset? = nil, bright: Range<Int> = 0..<0
) throws -> (trainer: Trainer, data: TinyDataset) {
  let data = try data ?? TinyDataset(subjects: 4)
  for subject in bright { try data.fillImage(subject, with: 1e38) }
  let configuration = try Configuration.load(data.configuration, overrides: overrides)
  let trainer = try Trainer(
    try RunSetup(configuration, world: world), world: world,
    folder: RunFolder(data.folder.file("run")), log: .silent, on: Compute(threads: threads))
  return (trainer, data)
}

/// Flips a bit of the tensor's last value on this rank; an update may round the lowest one away.
func flipBit(_ bit: UInt32 = 0, of name: String, in trainer: Trainer) throws {
  guard let parameter = trainer.model.parameters.parameter(name) else { throw NoSuch(name: name) }
  let values = trainer.model.parameters.values(of: parameter).mutableValues
  let last = values.count - 1
  values[last] = Float(bitPattern: values[last].bitPattern ^ 1 << bit)
}

/// A parameter that the network does not have.
struct NoSuch: Error { let name: String }
