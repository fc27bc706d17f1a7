import NN
import Tensors

/// Times parts of a step while several ranks are at it, as on a node in use.
package struct PartTimer {
  let parts: StepParts
  let split: NodeSplit
  let precision: Precision

  /// A timer of `parts` on each of the ranks of a node that is shared as `split` says.
  package init(_ parts: StepParts, split: NodeSplit, precision: Precision) {
    (self.parts, self.split, self.precision) = (parts, split, precision)
  }

  /// Adds what `timings` lack of the step's parts.
  ///
  /// - Parameter willTime: is told the part, its number from 1 and how many there are.
  package func complete(
    _ timings: inout PartTimings, willTime: (_ work: String, _ number: Int, _ count: Int) -> Void
  ) {
    let missing = timings.missing(of: parts.all)
    guard !missing.isEmpty else { return }
    let crew = ThreadTeam(threads: split.ranks)
    defer { crew.stop() }
    let runners = (0..<split.ranks).map { _ in
      let compute = Compute(threads: split.threads, precision: precision, profile: Profile())
      return (compute, PartRunner(parts, on: compute))
    }
    for (index, part) in missing.enumerated() {
      willTime(part.work, index + 1, missing.count)
      let passes = Passes(runners.map { $0.1.pass(part) })
      timings.keep(part, time(passes, on: runners.map(\.0), crew))
    }
  }

  /// The fastest of a few passes of all ranks.
  private func time(
    _ passes: Passes, on computes: [Compute], _ crew: ThreadTeam
  ) -> [[Profile.Entry]] {
    // Our choice: one pass to warm up, then at least three, or more while they take under a second.
    var best = round(passes, on: computes, crew)
    best = round(passes, on: computes, crew)
    let start = ContinuousClock.now
    for number in 1... {
      if number > 2 && ContinuousClock.now - start > .seconds(1) || number > 20 { break }
      let next = round(passes, on: computes, crew)
      if seconds(next) < seconds(best) { best = next }
    }
    return best
  }

  private func round(
    _ passes: Passes, on computes: [Compute], _ crew: ThreadTeam
  ) -> [[Profile.Entry]] {
    crew.parallelFor(computes.count) { rank, _ in
      computes[rank].profile?.reset()
      passes.run(rank)
    }
    return computes.map { $0.profile?.entries ?? [] }
  }

  private func seconds(_ profiles: [[Profile.Entry]]) -> Double {
    profiles.reduce(0) { $1.reduce($0) { $0 + $1.seconds } }
  }
}

/// One pass of each rank, which a thread of the crew runs on its own.
private struct Passes: @unchecked Sendable {
  private let passes: [() -> Void]

  init(_ passes: [() -> Void]) { self.passes = passes }

  func run(_ rank: Int) { passes[rank]() }
}

/// How a node's cores are shared: so many ranks of so many threads.
package struct NodeSplit: Hashable, Codable, Sendable, CustomStringConvertible {
  package let ranks: Int
  package let threads: Int

  package init(ranks: Int, threads: Int) { (self.ranks, self.threads) = (ranks, threads) }

  package var description: String {
    "\(ranks) rank\(ranks == 1 ? "" : "s") x \(threads) thread\(threads == 1 ? "" : "s")"
  }

  /// All splits of `cores` into equal ranks.
  package static func all(ofCores cores: Int) -> [NodeSplit] {
    (1...max(1, cores)).filter { cores % $0 == 0 }
      .map { NodeSplit(ranks: $0, threads: cores / $0) }
  }
}
