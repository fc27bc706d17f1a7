import Collectives
import Foundation
import Imaging
import NN
import Tensors
import TestSupport
import Training

/// Validation on the root and on all ranks gives the same bits and files.
func validationTests() -> [MultiRankTest] {
  [
    MultiRankTest("5 subjects dealt to all ranks score as on the root, to the bit") {
      try compare($0, $1, subjects: 5)
    },
    MultiRankTest("ranks without a subject of their own wait for the others", ranks: 3...4) {
      try compare($0, $1, subjects: 2)
    },
    MultiRankTest("a rank that waits patiently uses no processor", ranks: 2...4) {
      world, checks in
      try world.barrier()
      let before = processorSeconds()
      if world.rank == 0 { usleep(1_000_000) }
      try world.barrierPatiently()
      let used = processorSeconds() - before
      checks.expect(used < 0.2, "\(used) s of a processor in 1 s of waiting")
    },
    MultiRankTest("nobody leaves a patient barrier before the last rank comes") { world, checks in
      for last in 0..<world.size {
        try world.barrier()
        let start = ContinuousClock.now
        if world.rank == last { usleep(50_000) }
        try world.barrierPatiently()
        checks.expect(ContinuousClock.now - start >= .milliseconds(45))
      }
    },
  ]
}

/// Validates on the root and on all ranks, and compares scores and label maps.
private func compare(_ world: Communicator, _ checks: Checks, subjects: Int) throws {
  let data = try TinyDataset(subjects: 3 * subjects)
  let shared = try TemporaryFolder()
  let folder = try world.broadcast(shared.path)
  let root = try validate(world, data, "root", in: "\(folder)/root")
  let all = try validate(world, data, "all", in: "\(folder)/all")
  checks.equal(root == nil, world.rank != 0)
  checks.equal(root, all)
  if let root {
    checks.equal(root.subjects.count, subjects)
    // Scores of an untrained network that are all alike would prove little.
    checks.expect(Set(root.subjects.map(\.scores)).count > 1, "\(root.subjects)")
    let maps = try ["root", "all"].map { try files(in: "\(folder)/\($0)/validation") }
    checks.equal(maps[0].count, subjects)
    checks.expect(maps[0] == maps[1], "other label maps")
  }
  // The root's folder stays until all are done with it.
  try world.barrier()
}

/// The scores of a network as it was drawn.
private func validate(
  _ world: Communicator, _ data: TinyDataset, _ place: String, in path: String
) throws -> Scores? {
  let configuration = try Configuration.load(
    data.configuration, overrides: ["distributed.validation=\(place)"])
  let setup = try RunSetup(configuration, world: world)
  let compute = Compute(threads: 1)
  let folder = RunFolder(path)
  if world.rank == 0 { try folder.create() }
  try world.barrier()
  let model = try LKUNet(setup.model, on: compute, seed: 1)
  return try Validator(
    setup, model: model, world: world, folder: folder, activity: Activity(), on: compute,
    warn: { fail($0, code: 74) }
  ).validate()
}

private func files(in folder: String) throws -> [String: Data] {
  let names = try FileManager.default.contentsOfDirectory(atPath: folder)
  return try Dictionary(
    uniqueKeysWithValues: names.map {
      ($0, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")))
    })
}

/// Seconds of a processor that this process has used.
private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
