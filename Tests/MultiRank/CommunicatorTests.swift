import Collectives
import Tensors

/// Broadcasts, reductions and gathers.
func communicatorTests() -> [MultiRankTest] { placeTests() + floatTests() + valueTests() }

private func placeTests() -> [MultiRankTest] {
  [
    MultiRankTest("every rank knows its place in the world and on its host") { world, checks in
      checks.expect(world.rank >= 0 && world.rank < world.size)
      checks.expect(world.localRank >= 0 && world.localRank < world.localSize)
      checks.equal(try world.allreduceSum(world.rank), world.size * (world.size - 1) / 2)
      checks.expect(!world.hostName.isEmpty)
      let host = try world.ofThisHost()
      checks.equal(host.rank, world.localRank)
      checks.equal(try host.allreduceSum(1), world.localSize)
    },
    MultiRankTest("an MPI error comes back as a Swift error", ranks: 2...4) { world, checks in
      let own = try world.duplicate()
      do throws(CommunicationError) {
        try own.broadcast(FloatBuffer(zeros: 3).slice, root: world.size)
        checks.expect(false, "a root outside the ranks was accepted")
      } catch {
        checks.expect("\(error)".contains("MPI_ERR_ROOT"), "\(error)")
        checks.expect("\(error)".contains("rank \(world.rank): broadcasting 3"), "\(error)")
      }
    },
    MultiRankTest("a second session is refused") { _, checks in
      do throws(CommunicationError) {
        _ = try MPISession()
        checks.expect(false, "a second session was started")
      } catch { checks.equal(error, .secondSession) }
    },
  ]
}

private func floatTests() -> [MultiRankTest] {
  [
    MultiRankTest("a broadcast copies any root's floats, in chunks too") { world, checks in
      for (root, chunk) in [(0, 1 << 26), (world.size - 1, 7)] {
        let buffer = FloatBuffer(zeros: 100)
        for index in 0..<100 {
          buffer.pointer[index] = Float(index * (world.rank == root ? 1 : -1))
        }
        try world.duplicate(chunk: chunk).broadcast(buffer.slice, root: root)
        checks.equal(Array(buffer.slice.values), (0..<100).map(Float.init))
      }
    },
    MultiRankTest("a broadcast of a slice leaves its surroundings alone") { world, checks in
      let buffer = FloatBuffer(zeros: 10)
      buffer.slice.mutableValues.update(repeating: Float(world.rank))
      try world.broadcast(buffer.slice.slice(3..<5))
      let own = Float(world.rank)
      checks.equal(Array(buffer.slice.values), [own, own, own, 0, 0, own, own, own, own, own])
    },
    MultiRankTest("sums of uneven values are right, in chunks too") { world, checks in
      for chunk in [1 << 26, 13] {
        let buffer = FloatBuffer(zeros: 101)
        for index in 0..<101 { buffer.pointer[index] = Float((world.rank + 1) * index) }
        try world.duplicate(chunk: chunk).allreduceSum(buffer.slice)
        let factor = world.size * (world.size + 1) / 2
        checks.equal(Array(buffer.slice.values), (0..<101).map { Float($0 * factor) })
      }
    },
    MultiRankTest("8 MiB are summed with the same bits on every rank, again and again") {
      world, checks in
      let count = 2 << 20
      var firstHash: Int?
      for _ in 0..<5 {
        let buffer = randomBuffer(count: count, rank: world.rank)
        try world.allreduceSum(buffer.slice)
        let hash = hash(of: buffer.slice)
        checks.equal(hash, firstHash ?? hash)
        checks.equal(try world.allreduceMax(hash), try world.allreduceMin(hash))
        firstHash = hash
      }
    },
  ]
}

private func valueTests() -> [MultiRankTest] {
  [
    MultiRankTest("numbers are summed, and the largest and smallest found") { world, checks in
      let (rank, size) = (world.rank, world.size)
      var values = [Double(rank), 0.5, -1]
      try world.allreduceSum(&values)
      checks.equal(values, [Double(size * (size - 1) / 2), 0.5 * Double(size), -Double(size)])
      var counts = [rank, 1 << 40]
      try world.allreduceSum(&counts)
      checks.equal(counts, [size * (size - 1) / 2, size << 40])
      checks.equal(try world.allreduceMax(rank), size - 1)
      checks.equal(try world.allreduceMin(-rank), 1 - size)
      checks.equal(try world.allreduceMax(Double(rank) / 3), Double(size - 1) / 3)
      checks.equal(try world.allreduceMin(Double(rank) + 0.25), 0.25)
      checks.equal(try world.allreduceSum(0.25), 0.25 * Double(size))
    },
    MultiRankTest("bytes and text are gathered in the order of ranks") { world, checks in
      for root in [0, world.size - 1] {
        for chunk in [1 << 26, 5] {
          let own = [UInt8](repeating: UInt8(world.rank), count: 3 * (world.size - 1 - world.rank))
          let all = try world.duplicate(chunk: chunk).gather(own, root: root)
          let expected = (0..<world.size).map {
            [UInt8](repeating: UInt8($0), count: 3 * (world.size - 1 - $0))
          }
          checks.equal(all, world.rank == root ? expected : nil)
        }
      }
      let names = try world.gather("rank \(world.rank) é")
      checks.equal(
        names, world.rank == 0 ? (0..<world.size).map { "rank \($0) é" } : nil)
    },
    MultiRankTest("the root's text and bytes reach every rank, empty ones too") { world, checks in
      checks.equal(try world.broadcast(world.rank == 0 ? "größer" : "x"), "größer")
      checks.equal(try world.broadcast(world.rank == 0 ? "" : "something"), "")
      let last = world.size - 1
      checks.equal(try world.broadcast([UInt8(world.rank)], root: last), [UInt8(last)])
    },
  ]
}
