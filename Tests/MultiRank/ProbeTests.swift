import Collectives
import Foundation

/// What `lkdist doctor` measures.
func probeTests() -> [MultiRankTest] {
  [
    MultiRankTest("a clock that is ahead of the root's is seen") { world, checks in
      let ahead = Double(world.rank) * 100
      let offset = try world.clockOffset { Date().timeIntervalSince1970 + ahead }
      checks.expect(offset >= ahead && offset < ahead + 1, "\(offset) for \(ahead)")
    },
    MultiRankTest("two ranks exchange bytes while others wait", ranks: 2...4) { world, checks in
      if world.rank < 2 {
        let seconds = try world.secondsOfExchange(with: 1 - world.rank, bytes: 1 << 20, rounds: 2)
        checks.expect(seconds > 0 && seconds < 5, "\(seconds)")
      }
      try world.barrierPatiently()
    },
    MultiRankTest("the library tells its name") { world, checks in
      checks.expect(try world.libraryVersion().contains("MPI"))
    },
  ]
}
