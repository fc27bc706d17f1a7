import Collectives
import Imaging
import NN
import Tensors
import TestSupport
import Training

/// Training on k ranks is training on one rank that accumulates k patches.
func trainerTests() -> [MultiRankTest] {
  [
    MultiRankTest("k ranks x 1 patch equal 1 rank x k accumulated patches") { world, checks in
      try compare(
        world, checks, steps: 5, overrides: ["training.stepsPerEpoch=5", "training.epochs=2"])
    },
    MultiRankTest("7 subjects on 3 ranks end their epochs with a short step", ranks: 3...3) {
      world, checks in
      try compare(world, checks, steps: 6, overrides: ["training.stepsPerEpoch=null"])
    },
    MultiRankTest("summed in one tree, k ranks equal a loop without ranks to the bit") {
      world, checks in
      for accumulate in [1, 2, 4] {
        try compare(
          world, checks, steps: 3,
          overrides: reproducible + ["training.accumulate=\(accumulate)"])
      }
    },
    MultiRankTest("summed in one tree, short steps have the same bits, too") { world, checks in
      for accumulate in [1, 2] {
        try compare(
          world, checks, steps: 8,
          overrides: reproducible + [
            "training.stepsPerEpoch=null", "training.epochs=8",
            "training.accumulate=\(accumulate)",
          ])
      }
    },
  ]
}

/// Runs `steps` steps of the trainer on all ranks and of a plain loop on each, and compares.
private func compare(
  _ world: Communicator, _ checks: Checks, steps: Int, overrides: [String]
) throws {
  // Every rank writes a data set of its own: the same seeds give the same bytes.
  let data = try TinyDataset(subjects: 8)
  let configuration = try Configuration.load(
    data.configuration, overrides: ["data.folds=8"] + overrides)
  let setup = try RunSetup(configuration, world: world)
  let compute = Compute(threads: 1)
  let folder = RunFolder(data.folder.file("run"))
  let trainer = try Trainer(setup, world: world, folder: folder, log: .silent, on: compute)
  let isExact = configuration.distributed.reproducible
  let patchesInStep = world.size * configuration.training.accumulate
  let reference = try PlainLoop(setup, patchesInStep: patchesInStep, on: compute)
  var plan = setup.epochPlan(0, ranks: world.size)
  let loader = setup.loader(
    of: PatchFeed(plan, rank: world.rank, endEpoch: configuration.training.epochs))
  defer { loader.stop() }
  var first = 0
  for step in 0..<steps {
    if step - first == plan.steps { (plan, first) = (plan.following, step) }
    let count = plan.patchesInStep(step - first)
    let patches = try plan.patches(step: step - first, rank: world.rank).map { _ in
      try loader.next()
    }
    var clock = PhaseClock()
    let report = try trainer.step(patches, of: count, timedBy: &clock)
    let loss = try reference.step(of: count)
    if isExact {
      checks.equal(report.loss, loss)
      checks.equal(report.gradientNorm, reference.model.parameters.gradientNorm())
      checks.expect(
        bits(trainer.model.parameters.values.slice)
          == bits(reference.model.parameters.values.slice),
        "step \(step): other bits")
      continue
    }
    // Sums of another order round otherwise, which Adam's first steps amplify where gradients are near 0;
    // another patch or a rank left out changes the loss by percents.
    checks.expect(
      abs(report.loss - loss) <= 2e-4 * abs(loss), "step \(step): loss \(report.loss), \(loss)")
    guard step == 0 else { continue }
    let difference = relativeDifference(
      trainer.model.parameters.gradients, reference.model.parameters.gradients)
    checks.expect(difference <= 1e-6, "gradients differ by \(difference)")
  }
}

/// Training without ranks, written out: forward, backward, the sum in a tree, Adam.
private struct PlainLoop {
  let model: LKUNet
  private let setup: RunSetup
  private let compute: Compute
  private let adam: Adam
  private let loader: PatchLoader
  private let schedule: Schedule

  init(_ setup: RunSetup, patchesInStep: Int, on compute: Compute) throws {
    self.setup = setup
    self.compute = compute
    model = try LKUNet(setup.model, on: compute, seed: UInt64(setup.configuration.seed))
    adam = Adam(count: model.parameters.count)
    // Accumulating on one rank is a plan of the same patches in the same order.
    let plan = EpochPlan(
      subjects: setup.training.count, stepsPerEpoch: setup.configuration.training.stepsPerEpoch,
      ranks: 1, accumulate: patchesInStep, seed: UInt64(setup.configuration.seed), epoch: 0)
    let feed = PatchFeed(plan, rank: 0, endEpoch: setup.configuration.training.epochs)
    loader = setup.loader(of: feed)
    schedule = setup.configuration.learningRates(globalBatch: patchesInStep)
  }

  /// One step over `count` patches; the mean loss.
  func step(of count: Int) throws -> Double {
    let gradients = model.parameters.gradients.slice
    var loss = 0.0
    var samples: [[Float]] = []
    for _ in 0..<count {
      model.parameters.zeroGradients()
      let patch = try loader.next()
      let logits = model.forward(patch.image)
      let result = setup.configuration.criterion(
        logits, target: setup.scheme.target(of: patch), scale: 1 / Float(count), on: compute)
      loss += result.value / Double(count)
      model.backward(result.gradients) { _ in }
      samples.append(Array(gradients.values))
    }
    _ = gradients.mutableValues.update(fromContentsOf: treeSum(samples))
    // The trainer is asked for one step at a time here, so its schedule stays at the start.
    let rate = schedule.learningRate(progress: 0, step: 0)
    adam.update(model.parameters, learningRate: rate, on: compute)
    return loss
  }
}

/// The L2 norm of the difference, relative to that of `b`.
private func relativeDifference(_ a: FloatBuffer, _ b: FloatBuffer) -> Double {
  var (difference, norm) = (0.0, 0.0)
  for (x, y) in zip(a.slice.values, b.slice.values) {
    difference += Double(x - y) * Double(x - y)
    norm += Double(y) * Double(y)
  }
  return (difference / norm).squareRoot()
}
