import CMPI
import Foundation
import Tensors

// What `lkdist doctor` asks of a communicator.
extension Communicator {
  /// The MPI library's own name and version, one line (MPI_Get_library_version, MPI 3.1, 8.1.1).
  package func libraryVersion() throws(CommunicationError) -> String {
    var text = [CChar](repeating: 0, count: Int(CMPI_TEXT))
    try check(cmpi_library(&text), "asking for the library's version", rank: rank)
    let bytes = text.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:))
    // "Open MPI v4.1.4, package: Debian OpenMPI, ident: ..."
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)
  }

  /// Seconds by which this rank's clock is ahead of the root's, at most a message's latency too
  /// large; collective.
  ///
  /// - Parameter now: the rank's clock, in seconds.
  package func clockOffset(
    now: () -> Double = { Date().timeIntervalSince1970 }
  ) throws(CommunicationError) -> Double {
    var smallest = Double.infinity
    for _ in 0..<8 {
      try barrier()
      var time = now()
      try broadcast(&time, count: 1, type: CMPI_DOUBLE, root: 0)
      smallest = min(smallest, now() - time)
    }
    return rank == 0 ? 0 : smallest
  }

  /// Seconds that it takes to send `bytes` to `other` and to receive as many at the same time, the
  /// best of `rounds`; `other` calls it for this rank at the same time.
  package func secondsOfExchange(
    with other: Int, bytes: Int, rounds: Int
  ) throws(CommunicationError) -> Double {
    let count = bytes / MemoryLayout<Float>.stride
    let (sent, received) = (FloatBuffer(zeros: count), FloatBuffer(zeros: count))
    var best = Double.infinity
    for _ in 0...rounds {
      let start = ContinuousClock.now
      var requests = [
        try receive(received.pointer, count, from: other), try send(sent.pointer, count, to: other),
      ]
      try wait(for: "exchanging with rank \(other)", longestNap: 20) {
        cmpi_test_all(&requests, Int32(requests.count), &$0)
      }
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    }
    return best
  }
}

/// Who meets whom so that each of a number of players meets each other once (circle method).
package enum RoundRobin {
  /// The pairs of each round, of 0..<players; nobody is in two pairs of a round.
  package static func rounds(of players: Int) -> [[(Int, Int)]] {
    guard players > 1 else { return [] }
    // With an odd number, who meets the one too many rests.
    let seats = players + players % 2
    return (0..<seats - 1).map { round in
      let circle = [seats - 1] + (0..<seats - 1).map { ($0 + round) % (seats - 1) }
      return (0..<seats / 2).map { (circle[$0], circle[seats - 1 - $0]) }
        .map { (min($0, $1), max($0, $1)) }
        .filter { $1 < players }
    }
  }
}
