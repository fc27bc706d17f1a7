import Synchronization
import Tensors
import Testing

@Suite struct ThreadTeamTests {
  @Test(arguments: [1, 2, 5]) func `every index runs exactly once, again and again`(threads: Int) {
    let team = ThreadTeam(threads: threads)
    defer { team.stop() }
    for count in [0, 1, 3, 64, 1000] {
      let counts = Mutex([Int](repeating: 0, count: count))
      team.parallelFor(count) { index, thread in
        #expect((0..<threads).contains(thread))
        counts.withLock { $0[index] += 1 }
      }
      #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
    }
  }
}
