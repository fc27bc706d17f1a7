import Foundation
import NN
import Tensors
import Testing
import Training

/// Timings of the parts of steps, and what they make of a whole one.
@Suite struct PlanTests {
  private static func model(_ attention: [AttentionPlacement]) -> ModelConfiguration {
    ModelConfiguration(
      inputs: 1, outputs: 2, attention: attention, channels: 16, maximumChannels: 32, scales: 3)
  }

  private static let models: [ModelConfiguration] = [
    model(ModelConfiguration.none), model(ModelConfiguration.full(scales: 3)),
    model(ModelConfiguration.cbam(scales: 3)),
    model([AttentionPlacement(scale: 0, kernelSize: 4, dilation: 2, kind: .whole)]),
  ]
  private let extent = Extent(depth: 8, height: 16, width: 16)

  private func timings(
    of parts: StepParts, knowing known: PartTimings = PartTimings()
  ) -> (PartTimings, timed: [String]) {
    var timings = known
    var timed: [String] = []
    PartTimer(parts, split: NodeSplit(ranks: 2, threads: 1), precision: .fast)
      .complete(&timings) { work, _, _ in timed.append(work) }
    return (timings, timed)
  }

  @Test(arguments: models, Recompute.allCases)
  func `every call of a step has a price`(model: ModelConfiguration, recompute: Recompute) throws {
    let parts = StepParts(model, loss: .diceCE, extent: extent)
    let prices = timings(of: parts).0.prices(of: parts.all)
    let rehearsal = try StepRehearsal(
      model, loss: .diceCE, extent: extent, recompute: recompute, threads: 1)
    #expect(prices.unknown(of: rehearsal.calls + rehearsal.inferenceCalls) == [])
    let step = prices.total(of: rehearsal.calls)
    #expect(step > prices.total(of: rehearsal.inferenceCalls))
    #expect(prices.total(of: rehearsal.inferenceCalls) > 0)
  }

  @Test func `what was timed once is not timed again, also after it was written`() throws {
    let (known, first) = timings(
      of: StepParts(Self.models[0], loss: .diceCE, extent: extent))
    #expect(Set(first).count == first.count && !first.isEmpty)
    let kept = try JSONDecoder().decode(PartTimings.self, from: JSONEncoder().encode(known))
    let with = StepParts(
      Self.model([AttentionPlacement(scale: 0, kernelSize: 6, dilation: 2)]), loss: .diceCE,
      extent: extent)
    let (_, second) = timings(of: with, knowing: kept)
    #expect(second.count == 1 && second[0].contains("decomposed attention 6/2"))
  }

  @Test func `a split uses all cores`() {
    #expect(
      NodeSplit.all(ofCores: 12).map(\.description) == [
        "1 rank x 12 threads", "2 ranks x 6 threads", "3 ranks x 4 threads",
        "4 ranks x 3 threads", "6 ranks x 2 threads", "12 ranks x 1 thread",
      ])
  }
}
