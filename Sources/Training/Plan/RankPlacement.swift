/// How many ranks there are, and how they lie on hosts: one host is filled after the other.
package struct RankPlacement: Hashable, Sendable {
  package let ranks: Int
  /// Ranks of a full host.
  package let ranksPerNode: Int

  /// - Parameter ranksPerNode: at least 1; the ranks all share a host if there are fewer of them.
  package init(ranks: Int, ranksPerNode: Int) {
    precondition(ranks >= 1 && ranksPerNode >= 1, "\(ranks) ranks, \(ranksPerNode) a node")
    (self.ranks, self.ranksPerNode) = (ranks, min(ranks, ranksPerNode))
  }

  package var nodes: Int { (ranks + ranksPerNode - 1) / ranksPerNode }

  /// Whether ranks that are `distance` apart, in aligned blocks of twice that, share a host.
  func isInside(distance: Int) -> Bool { nodes == 1 || ranksPerNode % (2 * distance) == 0 }
}
