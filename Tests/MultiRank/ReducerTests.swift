import Collectives
import Glibc
import Tensors

/// Gradient buckets: any sizes, idle ranks, repeated steps.
func reducerTests() -> [MultiRankTest] {
  [
    MultiRankTest("the reducer equals a plain sum for odd sizes and buckets") { world, checks in
      for (count, bucket) in [(1, 1), (7, 3), (1001, 64), (1001, 1001), (1001, 5000), (12345, 999)]
      {
        let (summed, expected) = (
          wholeBuffer(count: count, rank: world.rank), wholeBuffer(count: count, rank: world.rank)
        )
        let reducer = try GradientReducer(
          summed.slice, bucketFloats: bucket, over: try world.duplicate())
        backward(to: reducer, from: count, steps: 4)
        try reducer.finish()
        try world.allreduceSum(expected.slice)
        checks.expect(
          summed.slice.values.elementsEqual(expected.slice.values), "\(count)/\(bucket)")
      }
    },
    MultiRankTest("ranks without a patch join with zeros, whatever their order") { world, checks in
      let buffer = FloatBuffer(zeros: 5003)
      let reducer = try GradientReducer(
        buffer.slice, bucketFloats: 100, over: try world.duplicate())
      for step in 0..<2 * world.size {
        let worker = step % world.size
        let value = Float(step + 1)
        buffer.slice.mutableValues.update(repeating: world.rank == worker ? value : 0)
        if world.rank == worker { backward(to: reducer, from: 5003, steps: 3 + step) }
        try reducer.finish()
        checks.expect(buffer.slice.values.allSatisfy { $0 == value }, "step \(step)")
      }
    },
    MultiRankTest("buckets that are not final yet wait") { world, checks in
      let buffer = FloatBuffer(zeros: 100)
      buffer.slice.mutableValues.update(repeating: 1)
      let reducer = try GradientReducer(buffer.slice, bucketFloats: 10, over: try world.duplicate())
      reducer.gradientsAreFinal(from: 55)
      for index in 0..<60 { buffer.pointer[index] = 2 }  // 55..<60 are in a bucket not yet sent
      usleep(20_000)  // time for the thread to send what it must not
      try reducer.finish()
      let size = Float(world.size)
      checks.expect((0..<60).allSatisfy { buffer.pointer[$0] == 2 * size })
      checks.expect((60..<100).allSatisfy { buffer.pointer[$0] == size })
    },
    MultiRankTest("8 MiB in buckets give the same bits on every rank and repetition") {
      world, checks in
      var firstHash: Int?
      for _ in 0..<3 {
        let buffer = randomBuffer(count: 2 << 20, rank: world.rank)
        let reducer = try GradientReducer(buffer.slice, bucketMiB: 1, over: try world.duplicate())
        if world.rank > 0 { backward(to: reducer, from: 2 << 20, steps: 17) }
        try reducer.finish()
        let hash = hash(of: buffer.slice)
        checks.equal(hash, firstHash ?? hash)
        checks.equal(try world.allreduceMax(hash), try world.allreduceMin(hash))
        firstHash = hash
      }
    },
    MultiRankTest("sums are added in rank order", ranks: 3...4) { world, checks in
      // 1 is lost beside 2^24, unless the large ones have cancelled out before.
      let addends: [Float] = [0x1p24, 1, -0x1p24, 1]
      let buffer = FloatBuffer(zeros: 10)
      buffer.slice.mutableValues.update(repeating: addends[world.rank])
      let reducer = try GradientReducer(buffer.slice, bucketFloats: 4, over: try world.duplicate())
      try reducer.finish()
      let expected: Float = world.size == 3 ? 0 : 1
      checks.expect(buffer.slice.values.allSatisfy { $0 == expected })
    },
    MultiRankTest("a world of one keeps its bits", ranks: 1...1) { world, checks in
      let buffer = randomBuffer(count: 999, rank: 0)
      let before = hash(of: buffer.slice)
      let reducer = try GradientReducer(buffer.slice, bucketFloats: 10, over: world)
      backward(to: reducer, from: 999, steps: 5)
      try reducer.finish()
      checks.equal(hash(of: buffer.slice), before)
      checks.equal(reducer.hiddenSeconds, 0)
    },
    MultiRankTest("time spent waiting and time hidden are told apart", ranks: 2...4) {
      world, checks in
      let buffer = FloatBuffer(zeros: 1 << 20)
      let reducer = try GradientReducer(buffer.slice, bucketMiB: 1, over: try world.duplicate())
      try reducer.finish()
      checks.expect(reducer.exposedSeconds > 0 && reducer.exposedSeconds < 10)
      checks.equal(reducer.hiddenSeconds, 0)
      backward(to: reducer, from: 1 << 20, steps: 4)
      usleep(300_000)
      try reducer.finish()
      checks.expect(reducer.hiddenSeconds > 0 && reducer.hiddenSeconds < 0.3)
    },
    MultiRankTest("without threads finish() makes the same sums") { world, checks in
      let (own, other) = (
        randomBuffer(count: 5003, rank: world.rank), randomBuffer(count: 5003, rank: world.rank)
      )
      for (buffer, onThread) in [(own, true), (other, false)] {
        let reducer = try GradientReducer(
          buffer.slice, bucketFloats: 999, over: try world.duplicate(), onThread: onThread)
        checks.equal(reducer.isConcurrent, onThread)
        backward(to: reducer, from: 5003, steps: 4)
        try reducer.finish()
      }
      checks.equal(hash(of: own.slice), hash(of: other.slice))
    },
    MultiRankTest("an error of a sum comes back from finish(), from every one that follows") {
      world, checks in
      let reducer = try GradientReducer(
        FloatBuffer(zeros: 100).slice, bucketFloats: 10, by: FailingSum(failsAt: 60),
        over: try world.duplicate(), onThread: true)
      reducer.gradientsAreFinal(from: 0)
      for _ in 0..<2 {
        do throws(CommunicationError) {
          try reducer.finish()
          checks.expect(false, "no error came back")
        } catch { checks.equal(error, FailingSum.error) }
      }
    },
    MultiRankTest("sums under way are given up without a crash when an error passes") {
      world, checks in
      let buffer = FloatBuffer(zeros: 4000)
      do {
        let reducer = try GradientReducer(
          buffer.slice, bucketFloats: 500, over: try world.duplicate())
        reducer.gradientsAreFinal(from: 1000)
      }
      checks.expect(true)
      try world.barrier()
    },
  ]
}

/// Fails at the bucket that holds the float at `failsAt`.
private struct FailingSum: BucketSum {
  static let error = CommunicationError.failed(operation: "a sum", reason: "a test", rank: 0)
  let failsAt: Int

  func sum(_ bucket: FloatSlice, over communicator: Communicator) throws(CommunicationError) {
    let floats = bucket.offset..<bucket.offset + bucket.count
    if floats.contains(failsAt) { throw Self.error }
  }
}

/// Announces the gradients from the end of `count` to its start, in `steps` uneven strides.
private func backward(to reducer: GradientReducer, from count: Int, steps: Int) {
  for step in 1...steps {
    reducer.gradientsAreFinal(from: count - count * step * step / (steps * steps))
  }
}

/// Small whole numbers, whose float sums are exact in any order.
private func wholeBuffer(count: Int, rank: Int) -> FloatBuffer {
  let buffer = FloatBuffer(zeros: count)
  for index in 0..<count { buffer.pointer[index] = Float((index * 37 + rank * 101) % 1009) }
  return buffer
}

/// Values of very different size, so that another order of summing gives other bits.
func randomBuffer(count: Int, rank: Int) -> FloatBuffer {
  let buffer = FloatBuffer(zeros: count)
  var state = UInt64(rank + 1) &* 0x9E37_79B9_7F4A_7C15
  for index in 0..<count {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let mantissa = Float(Int32(truncatingIfNeeded: state >> 32))
    buffer.pointer[index] = mantissa * (index % 2 == 0 ? 1 : 1e-4)
  }
  return buffer
}

/// A hash of the floats' bits (FNV-1a over words).
func hash(of slice: FloatSlice) -> Int {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for value in slice.values { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
  return Int(truncatingIfNeeded: hash)
}
