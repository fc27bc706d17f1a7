import Collectives
import TestSupport
import Tensors
import Training

/// Gradients sent as bfloat16: equal replicas, and nothing lost over the steps.
func compressionTests() -> [MultiRankTest] {
  [
    MultiRankTest("bf16 sums are the same bits on all ranks and as close as bf16 can be") {
      world, checks in
      for (count, bucket) in [(1, 1), (3, 2), (1001, 64), (1001, 5000), (12345, 999)] {
        let (summed, exact, sizes) = (
          randomBuffer(count: count, rank: world.rank),
          randomBuffer(count: count, rank: world.rank),
          randomBuffer(count: count, rank: world.rank)
        )
        for index in 0..<count { sizes.pointer[index] = abs(sizes.pointer[index]) }
        let reducer = try compressing(summed, bucketFloats: bucket, over: world)
        try reducer.finish()
        let bits = hash(of: summed.slice)
        checks.equal(try world.allreduceMax(bits), try world.allreduceMin(bits))
        try world.allreduceSum(exact.slice)
        try world.allreduceSum(sizes.slice)
        // Half an ulp of each addend, and half an ulp of the sum.
        let isClose = (0..<count).allSatisfy {
          abs(summed.pointer[$0] - exact.pointer[$0]) <= sizes.pointer[$0] * 0x1.02p-7
        }
        checks.expect(isClose, "\(count)/\(bucket)")
        if world.size == 1 { checks.equal(bits, hash(of: exact.slice)) }
      }
    },
    MultiRankTest("the mean of bf16 sums over many steps tends to the exact sum", ranks: 2...4) {
      world, checks in
      let one = try meanError(steps: 1, world)
      let many = try meanError(steps: 64, world)
      let forgetful = try meanError(steps: 64, world, forgets: true)
      checks.expect(one > 1e-4, "one step is as good as exact: \(one)")
      checks.expect(many < one / 30, "after 64 steps \(many), after one \(one)")
      checks.expect(forgetful > one / 2, "without error feedback \(forgetful)")
    },
    MultiRankTest("idle ranks bring what rounding took from them before", ranks: 2...4) {
      world, checks in
      let buffer = FloatBuffer(zeros: 1003)
      let reducer = try compressing(buffer, bucketFloats: 100, over: world)
      var total = [Float](repeating: 0, count: 1003)
      for step in 0..<40 {
        // A different rank works in each of the first steps, then nobody does.
        let works = step < 2 * world.size && step % world.size == world.rank
        for index in 0..<1003 { buffer.pointer[index] = works ? Float(index) / 7 : 0 }
        try reducer.finish()
        for index in 0..<1003 { total[index] += buffer.pointer[index] }
      }
      let exact = Float(2 * world.size) / 7
      let isExact = (0..<1003).allSatisfy {
        abs(total[$0] - Float($0) * exact) <= Float($0) * exact * 1e-5
      }
      checks.expect(isExact)
    },
    MultiRankTest("what is not finite comes out on all ranks and is not kept", ranks: 2...4) {
      world, checks in
      let buffer = FloatBuffer(zeros: 10)
      let reducer = try compressing(buffer, bucketFloats: 4, over: world)
      buffer.slice.mutableValues.update(repeating: 1)
      if world.rank == world.size - 1 {
        buffer.pointer[2] = .nan
        buffer.pointer[5] = .infinity
        buffer.pointer[9] = .greatestFiniteMagnitude
      }
      try reducer.finish()
      let size = Float(world.size)
      for (index, value) in buffer.slice.values.enumerated() {
        checks.equal(value.isFinite, ![2, 5, 9].contains(index))
        if value.isFinite { checks.equal(value, size) }
      }
      buffer.slice.mutableValues.update(repeating: 1)
      try reducer.finish()
      checks.expect(buffer.slice.values.allSatisfy { $0 == size })
    },
    MultiRankTest("after forgetting, a sum has the bits of the first step") { world, checks in
      let buffer = FloatBuffer(zeros: 500)
      let reducer = try compressing(buffer, bucketFloats: 100, over: world)
      var hashes: [Int] = []
      for step in 0..<3 {
        if step == 2 { reducer.forget() }
        let fresh = randomBuffer(count: 500, rank: world.rank)
        buffer.pointer.update(from: fresh.pointer, count: 500)
        try reducer.finish()
        hashes.append(hash(of: buffer.slice))
      }
      checks.equal(hashes[2], hashes[0])
      if world.size > 1 { checks.expect(hashes[1] != hashes[0], "nothing was kept") }
    },
    MultiRankTest("replicas stay equal with bf16, and a run that goes on has the same bits") {
      world, checks in
      let overrides = [
        "distributed.compression=bf16", "training.stepsPerEpoch=3", "training.epochs=2",
      ]
      let whole = try makeTrainer(world, overrides: overrides)
      try whole.trainer.folder.create()
      checks.equal(try whole.trainer.run().exitCode, .done)
      checks.equal(try whole.trainer.checkReplicas(), nil)

      let first = try makeTrainer(world, overrides: overrides)
      try first.trainer.folder.create()
      _ = try first.trainer.run(maximumSteps: 3)
      let second = try makeTrainer(world, overrides: overrides)
      try second.trainer.folder.create()
      try second.trainer.resume(from: first.trainer.folder.checkpoints.last)
      _ = try second.trainer.run()
      checks.equal(bits(of: second.trainer), bits(of: whole.trainer))
      withExtendedLifetime((whole.data, first.data, second.data)) {}
    },
  ]
}

private func bits(of trainer: Trainer) -> Int {
  hash(of: trainer.model.parameters.values.slice)
}

/// A reducer of the whole buffer that sends bfloat16.
private func compressing(
  _ buffer: FloatBuffer, bucketFloats: Int, over world: Communicator
) throws -> GradientReducer {
  try GradientReducer(
    buffer.slice, bucketFloats: bucketFloats, by: CompressedSum(count: buffer.count),
    over: try world.duplicate())
}

/// The L2 error of the mean of `steps` sums of the same gradients, relative to the exact sum.
private func meanError(steps: Int, _ world: Communicator, forgets: Bool = false) throws -> Double {
  let count = 2000
  let (buffer, exact) = (FloatBuffer(zeros: count), randomBuffer(count: count, rank: world.rank))
  let reducer = try compressing(buffer, bucketFloats: 300, over: world)
  var means = [Double](repeating: 0, count: count)
  for _ in 0..<steps {
    let own = randomBuffer(count: count, rank: world.rank)
    buffer.pointer.update(from: own.pointer, count: count)
    try reducer.finish()
    if forgets { reducer.forget() }
    for index in 0..<count { means[index] += Double(buffer.pointer[index]) / Double(steps) }
  }
  try world.allreduceSum(exact.slice)
  var (error, norm) = (0.0, 0.0)
  for (mean, sum) in zip(means, exact.slice.values.map(Double.init)) {
    error += (mean - sum) * (mean - sum)
    norm += sum * sum
  }
  return (error / norm).squareRoot()
}
