import Imaging
import NN
import Tensors

/// What a run takes, as `lkdist plan` tells it.
package struct RunPlan: Sendable {
  /// A way to share a node's cores, and the run on it; nil where it does not fit into memory.
  struct Split: Sendable {
    let split: NodeSplit
    /// Bytes of all ranks of the root's node at their peak.
    let nodeBytes: Int
    let step: StepForecast?
    let forecast: RunForecast?

    /// Patches that a node trains on in a second.
    func patchesPerSecond(accumulate: Int) -> Double? {
      forecast.map { Double(split.ranks * accumulate) / $0.step }
    }
  }

  let run: PlannedRun
  let placement: RankPlacement
  let threads: Int
  let networkIsAssumed: Bool
  let work: WorkSummary
  let memory: MemoryPlan
  /// Bytes that a rank may take.
  let memoryOfRank: Int
  let largestPatch: Extent?
  /// That of the run first.
  let splits: [Split]

  /// The split that trains on most patches a second.
  var bestSplit: Split? {
    let accumulate = run.configuration.training.accumulate
    return splits.max {
      ($0.patchesPerSecond(accumulate: accumulate) ?? 0)
        < ($1.patchesPerSecond(accumulate: accumulate) ?? 0)
    }
  }

  /// Each large kernel's size as a share of its map along x, y, z, which the article calls coverage.
  var coverage: [(placement: AttentionPlacement, share: [Double])] {
    run.model.attention.filter { $0.kind != .cbam }.map { attention in
      (
        attention,
        run.extent.xyz.map { Double(attention.kernelSize) / Double($0 >> attention.scale) }
      )
    }
  }

  /// Whether a rank's memory holds the run.
  package var fits: Bool { memory.bytes(root: true) <= memoryOfRank }
}
