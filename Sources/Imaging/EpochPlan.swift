import Tensors

/// A patch that a rank will cut: which subject, and the key of its random streams.
package struct PatchRequest: Hashable, Sendable {
  /// Counted from 0.
  package var epoch: Int
  /// The patch's place in the epoch, the same for any number of ranks.
  package var position: Int
  /// Index into the training subjects.
  package var subject: Int

  package init(epoch: Int, position: Int, subject: Int) {
    self.epoch = epoch
    self.position = position
    self.subject = subject
  }
}

/// The patches of one epoch and who trains on them when; a pure function of its arguments.
///
/// Unless another number of ranks began the epoch, patch p runs in step p div (N A) on rank (p mod N A) div A, for N ranks that accumulate A
/// patches each; so the patches of a step are the same for N ranks with A = 1 and one with A = N.
package struct EpochPlan: Sendable {
  /// Counted from 0.
  package let epoch: Int
  private let subjects: Int
  private let stepsPerEpoch: Int?
  private let ranks: Int
  private let accumulate: Int
  private let seed: UInt64
  /// The subject of each patch of the epoch.
  private let order: [Int]
  /// The position of the first patch that is dealt.
  private let start: Int

  /// The plan of one epoch: every subject once, or `stepsPerEpoch` full steps from consecutive
  /// permutations of the subjects; all counts are positive.
  package init(
    subjects: Int, stepsPerEpoch: Int?, ranks: Int, accumulate: Int, seed: UInt64, epoch: Int
  ) {
    precondition(
      subjects > 0 && ranks > 0 && accumulate > 0 && stepsPerEpoch ?? 1 > 0,
      "no epoch of \(subjects) subjects, \(stepsPerEpoch ?? 1) steps, \(ranks) x \(accumulate)")
    self.subjects = subjects
    self.stepsPerEpoch = stepsPerEpoch
    self.ranks = ranks
    self.accumulate = accumulate
    self.seed = seed
    self.epoch = epoch
    let count = stepsPerEpoch.map { $0 * ranks * accumulate } ?? subjects
    order = Self.order(count, of: subjects, seed: seed, epoch: epoch)
    start = 0
  }

  private init(_ plan: EpochPlan, from start: Int, of patches: Int) {
    precondition((0...patches).contains(start), "position \(start) of \(patches) patches")
    (epoch, subjects, stepsPerEpoch) = (plan.epoch, plan.subjects, plan.stepsPerEpoch)
    (ranks, accumulate, seed) = (plan.ranks, plan.accumulate, plan.seed)
    order = Self.order(patches, of: subjects, seed: seed, epoch: epoch)
    self.start = start
  }

  private static func order(_ count: Int, of subjects: Int, seed: UInt64, epoch: Int) -> [Int] {
    let permutations = (count + subjects - 1) / subjects
    return Array(
      (0..<permutations).flatMap { index in
        var stream = RandomStream(seed: seed, purpose: "epoch", epoch: epoch, patch: index)
        return stream.permutation(subjects)
      }.prefix(count))
  }

  /// What is left of this epoch after `position` patches of a list of `patches`, which another
  /// number of ranks may have begun: the list stays, its rest is dealt in this plan's steps.
  package func rest(from position: Int, of patches: Int) -> EpochPlan {
    EpochPlan(self, from: position, of: patches)
  }

  /// The number of patches in the epoch, of all ranks, those before a rest included.
  package var patches: Int { order.count }

  /// The number of steps, which count from 0 in a rest, too; the last may be short.
  package var steps: Int { (patches - start + patchesPerStep - 1) / patchesPerStep }

  /// The steps of this size that the patches before a rest would make.
  package var stepsBefore: Int { (start + patchesPerStep - 1) / patchesPerStep }

  /// The patches of `step` on all ranks together, by which the loss is divided.
  package func patchesInStep(_ step: Int) -> Int {
    positions(step: step).count
  }

  /// What `rank` trains on in `step`; empty where a short last step leaves it idle.
  package func patches(step: Int, rank: Int) -> [PatchRequest] {
    precondition((0..<ranks).contains(rank), "rank \(rank) of \(ranks)")
    let all = positions(step: step)
    let first = all.lowerBound + rank * accumulate
    return (first..<first + accumulate).filter(all.contains).map {
      PatchRequest(epoch: epoch, position: $0, subject: order[$0])
    }
  }

  /// The plan of the next epoch.
  package var following: EpochPlan {
    EpochPlan(
      subjects: subjects, stepsPerEpoch: stepsPerEpoch, ranks: ranks, accumulate: accumulate,
      seed: seed, epoch: epoch + 1)
  }

  private var patchesPerStep: Int { ranks * accumulate }

  private func positions(step: Int) -> Range<Int> {
    precondition((0..<steps).contains(step), "step \(step) of \(steps)")
    let first = start + step * patchesPerStep
    return first..<min(first + patchesPerStep, patches)
  }
}

/// One rank's patches, epoch after epoch, in the order it trains on them.
package struct PatchFeed: Sequence, IteratorProtocol, Sendable {
  private var plan: EpochPlan
  private let rank: Int
  private var step: Int
  private let endEpoch: Int
  private var waiting: ArraySlice<PatchRequest> = []

  /// The patches of `rank` from `step` of the plan's epoch up to, not including, `endEpoch`.
  package init(_ plan: EpochPlan, rank: Int, step: Int = 0, endEpoch: Int) {
    self.plan = plan
    self.rank = rank
    self.step = step
    self.endEpoch = endEpoch
  }

  /// The next patch; nil after the last epoch.
  package mutating func next() -> PatchRequest? {
    while waiting.isEmpty {
      if step == plan.steps {
        plan = plan.following
        step = 0
      }
      guard plan.epoch < endEpoch else { return nil }
      waiting = plan.patches(step: step, rank: rank)[...]
      step += 1
    }
    return waiting.popFirst()
  }
}
