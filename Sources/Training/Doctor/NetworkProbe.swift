import Collectives
import Foundation

/// Measures how fast hosts exchange bytes, pair by pair, and all ranks sum gradients.
package struct NetworkProbe: Sendable {
  /// GB/s that the network should carry in each direction, if the user said so.
  package let expected: Double?

  package init(expected: Double?) { self.expected = expected }

  /// Bytes of an exchange: a bucket of gradients.
  private static let bytes = 4 << 20

  /// GB/s in each direction between two hosts.
  package struct Link: Codable, Equatable, Sendable {
    package var hosts: [String]
    package var rate: Double

    package init(_ first: String, _ second: String, rate: Double) {
      (hosts, self.rate) = ([first, second], rate)
    }
  }

  /// The lines; empty except on the root, and of a rank alone. Collective.
  func lines(_ world: Communicator) throws -> [Diagnosis] {
    guard world.size > 1 else { return [] }
    let links = try links(world)
    let allreduce = AllreduceBenchmark(over: world, bucketMiB: 4, rounds: 3)
    let size = 16 << 20
    let rate = allreduce.rate(
      bytes: size, seconds: try allreduce.seconds(bytes: size, compression: .none).seconds)
    guard world.rank == 0 else { return [] }
    return [pairs(links), sum(rate, isOneHost: links.isEmpty)].compactMap { $0 }
  }

  /// The links of all pairs of hosts, measured by their first ranks; empty except on the root.
  private func links(_ world: Communicator) throws -> [Link] {
    let names = try world.broadcast(
      (world.gather(world.localRank == 0 ? world.hostName : "") ?? []).joined(separator: "\n")
    ).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let leaders = names.indices.filter { !names[$0].isEmpty }
    var own: [Link] = []
    for round in RoundRobin.rounds(of: leaders.count) {
      for (first, second) in round.map({ (leaders[$0], leaders[$1]) })
      where first == world.rank || second == world.rank {
        let seconds = try world.secondsOfExchange(
          with: first + second - world.rank, bytes: Self.bytes, rounds: 3)
        let rate = Double(Self.bytes) / seconds / 1e9
        if first == world.rank { own.append(Link(names[first], names[second], rate: rate)) }
      }
      try world.barrierPatiently()
    }
    return (try world.gathered(own) ?? []).flatMap { $0 }
  }

  // MARK: - Rules

  /// The line of the pairs of hosts; nil for one host.
  package func pairs(_ links: [Link]) -> Diagnosis? {
    let check = "network"
    let sorted = links.sorted { $0.rate < $1.rate }
    guard let slowest = sorted.first, let fastest = sorted.last else { return nil }
    let median = median(of: sorted.map(\.rate))
    let hosts = slowest.hosts.joined(separator: " and ")
    let slow = String(format: "%@ exchange %.3f GB/s", hosts, slowest.rate)
    // Our choice: half of what was promised or is usual is a fault, not noise.
    if let expected, slowest.rate < expected / 2 {
      return .warning(
        check, slow + String(format: ", %.3f were expected", expected), fix: Self.advice)
    }
    if slowest.rate < median / 2 {
      return .warning(
        check, slow + String(format: ", other pairs of hosts %.3f", median), fix: Self.advice)
    }
    guard expected != nil || slowest.rate >= 0.09 else {
      return .warning(
        check, slow + ", less than Gigabit Ethernet: MPI may use the wrong interface",
        fix: "OMPI_MCA_btl_tcp_if_include=INTERFACE (`ip -brief address`)")
    }
    return .ok(
      check,
      String(
        format: "%d pair%@ of hosts, %.3f to %.3f GB/s", links.count, links.count == 1 ? "" : "s",
        slowest.rate, fastest.rate))
  }

  private static let advice =
    "look at the cable, switch port and interface of these hosts (`ethtool`), or leave one out"

  /// The line of gradients summed over all ranks, in GB/s of bus bandwidth.
  package func sum(_ rate: Double, isOneHost: Bool) -> Diagnosis {
    let message = String(format: "16 MiB of gradients are summed at %.3f GB/s", rate)
    guard isOneHost, rate < 0.2 else { return .ok("allreduce", message) }
    return .warning(
      "allreduce", message + " within one host: ranks wait for each other's processors",
      fix: "fewer ranks or threads than processors, or OMPI_MCA_mpi_yield_when_idle=1")
  }
}
