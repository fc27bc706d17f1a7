import Imaging
import Testing

@Suite struct EpochPlanTests {
  private func plan(
    _ subjects: Int, steps: Int? = nil, ranks: Int = 1, accumulate: Int = 1, epoch: Int = 0
  ) -> EpochPlan {
    EpochPlan(
      subjects: subjects, stepsPerEpoch: steps, ranks: ranks, accumulate: accumulate, seed: 42,
      epoch: epoch)
  }

  private func all(_ plan: EpochPlan, ranks: Int = 1) -> [[PatchRequest]] {
    (0..<plan.steps).map { step in
      (0..<ranks).flatMap { plan.patches(step: step, rank: $0) }
    }
  }

  @Test func `every subject comes exactly once an epoch, in another order each epoch`() {
    let orders = (0..<3).map { all(plan(11, epoch: $0)).flatMap { $0 } }
    for order in orders {
      #expect(order.map(\.subject).sorted() == Array(0..<11))
      #expect(order.map(\.position) == Array(0..<11))
    }
    #expect(Set(orders.map { $0.map(\.subject) }).count == 3)
  }

  @Test func `seven subjects on three ranks leave two ranks idle in the last step`() {
    let plan = plan(7, ranks: 3)
    #expect(plan.steps == 3)
    #expect((0..<3).map(plan.patchesInStep) == [3, 3, 1])
    #expect((0..<3).map { plan.patches(step: 2, rank: $0).count } == [1, 0, 0])
    #expect(all(plan, ranks: 3).flatMap { $0 } == all(self.plan(7)).flatMap { $0 })
  }

  @Test(arguments: [2, 3, 4])
  func `k ranks with one patch train on what one rank with k patches does`(k: Int) {
    for steps in [nil, 5] {
      let ranks = plan(10, steps: steps, ranks: k)
      let accumulated = plan(10, steps: steps, accumulate: k)
      #expect(all(ranks, ranks: k) == all(accumulated))
      #expect(
        (0..<ranks.steps).map(ranks.patchesInStep)
          == (0..<ranks.steps).map(accumulated.patchesInStep))
    }
  }

  @Test func `a rank accumulates neighbors in the order`() {
    let plan = plan(12, ranks: 2, accumulate: 3)
    #expect(plan.patches(step: 1, rank: 0).map(\.position) == [6, 7, 8])
    #expect(plan.patches(step: 1, rank: 1).map(\.position) == [9, 10, 11])
  }

  @Test func `a short step is split as a full one`() {
    let plan = plan(10, ranks: 2, accumulate: 3)
    #expect(plan.patchesInStep(1) == 4)
    #expect(plan.patches(step: 1, rank: 0).map(\.position) == [6, 7, 8])
    #expect(plan.patches(step: 1, rank: 1).map(\.position) == [9])
  }

  @Test func `steps per epoch draw on consecutive permutations`() {
    let plan = plan(3, steps: 4, ranks: 2)
    let subjects = all(plan, ranks: 2).flatMap { $0 }.map(\.subject)
    #expect(subjects.count == 8)
    #expect(plan.steps == 4)
    #expect(subjects[0..<3].sorted() == [0, 1, 2])
    #expect(subjects[3..<6].sorted() == [0, 1, 2])
    #expect(Set(subjects[6...]).count == 2)
  }

  @Test func `one subject serves any number of ranks`() {
    let plan = plan(1, steps: 2, ranks: 4)
    #expect((0..<2).map(plan.patchesInStep) == [4, 4])
    #expect(
      (0..<4).map { plan.patches(step: 1, rank: $0).map(\.position) } == [[4], [5], [6], [7]])
  }

  @Test func `a feed goes through the epochs and skips steps without a patch`() {
    let first = plan(7, ranks: 3, epoch: 2)
    let fed = Array(PatchFeed(first, rank: 1, endEpoch: 4))
    let expected = [first, first.following].flatMap { plan in
      (0..<plan.steps).flatMap { plan.patches(step: $0, rank: 1) }
    }
    #expect(fed == expected)
    #expect(fed.map(\.epoch) == [2, 2, 3, 3])
  }

  @Test func `a feed can begin in the middle of an epoch or at its end`() {
    let plan = plan(6, ranks: 2)
    #expect(
      Array(PatchFeed(plan, rank: 0, step: 2, endEpoch: 1)) == plan.patches(step: 2, rank: 0))
    #expect(Array(PatchFeed(plan, rank: 0, step: 3, endEpoch: 1)).isEmpty)
    #expect(Array(PatchFeed(plan, rank: 0, step: 3, endEpoch: 2)).count == 3)
  }

  @Test(arguments: [nil, 5])
  func `an epoch that goes on with other ranks has every patch of its list once`(steps: Int?) {
    let list = plan(11, steps: steps, ranks: 3)
    var done: [PatchRequest] = []
    for (ranks, accumulate, stops) in [(3, 1, 1), (2, 1, 2), (1, 3, 1), (2, 1, .max)] {
      let rest = plan(11, steps: steps, ranks: ranks, accumulate: accumulate)
        .rest(from: done.count, of: list.patches)
      for step in 0..<min(stops, rest.steps) {
        let patches = (0..<ranks).flatMap { rest.patches(step: step, rank: $0) }
        #expect(patches.count == rest.patchesInStep(step))
        done += patches
      }
    }
    #expect(done == all(list, ranks: 3).flatMap { $0 })
    if steps == nil { #expect(done.map(\.subject).sorted() == Array(0..<11)) }
  }

  @Test func `a rest for the same ranks is the end of the whole epoch`() {
    for steps in [nil, 4] {
      let whole = plan(7, steps: steps, ranks: 2, accumulate: 2)
      for step in 0...whole.steps {
        let rest = whole.rest(from: min(4 * step, whole.patches), of: whole.patches)
        #expect(rest.stepsBefore == step)
        #expect(all(rest, ranks: 2) == Array(all(whole, ranks: 2)[step...]))
      }
    }
  }

  @Test func `a feed goes from the rest of an epoch to epochs of its own ranks`() {
    let rest = plan(5, steps: 2, ranks: 2).rest(from: 3, of: 6)
    let fed = (0..<2).map { Array(PatchFeed(rest, rank: $0, endEpoch: 2)) }
    #expect(fed[0].map { [$0.epoch, $0.position] } == [[0, 3], [0, 5], [1, 0], [1, 2]])
    #expect(fed[1].map { [$0.epoch, $0.position] } == [[0, 4], [1, 1], [1, 3]])
  }
}
