/// What lies on the critical path of an allreduce, counted; each count has its cost in a network's model,
/// so that seconds are a sum of products, in which a fit can solve for the costs.
package struct AllreduceWork: Equatable, Sendable {
  /// Messages over one kind of link.
  package struct Traffic: Equatable, Sendable {
    /// Messages that wait for the one before.
    package var rounds = 0.0
    /// Messages that are under way at the same time as another of the same rank.
    package var furtherMessages = 0.0
    /// Bytes, those of the other ranks of the host included where they share its network card.
    package var bytes = 0.0

    package init() {}

    static func += (sum: inout Traffic, other: Traffic) {
      sum.rounds += other.rounds
      sum.furtherMessages += other.furtherMessages
      sum.bytes += other.bytes
    }

    func seconds(_ link: NetworkModel.Link) -> Double {
      rounds * link.latency + furtherMessages * link.overhead + bytes * link.gap
    }
  }

  package var inside = Traffic()
  package var between = Traffic()
  /// Bytes of floats that one rank adds to others.
  package var addedBytes = 0.0
  /// Bytes of floats that one rank rounds to bfloat16 or widens.
  package var convertedBytes = 0.0
  /// How often a thread sleeps until messages have come.
  package var naps = 0.0

  package init() {}

  package static func + (first: AllreduceWork, second: AllreduceWork) -> AllreduceWork {
    var sum = first
    sum.inside += second.inside
    sum.between += second.between
    sum.addedBytes += second.addedBytes
    sum.convertedBytes += second.convertedBytes
    sum.naps += second.naps
    return sum
  }

  /// How long it takes.
  package func seconds(on network: NetworkModel) -> Double {
    inside.seconds(network.inside) + between.seconds(network.between)
      + addedBytes * network.addition + convertedBytes * network.conversion + naps * network.nap
  }
}
