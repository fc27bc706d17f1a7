import Imaging
import NN
import Tensors

/// What a run takes, as `lkdist plan` tells it.
package struct RunPlan: Sendable {
  /// A way to share a node's cores, and the run on it.
  struct Split: Sendable {
    let split: NodeSplit
    let rehearsal: StepRehearsal
    let memory: MemoryPlan
    /// Nil where the node's ranks do not fit into its memory.
    var step: StepForecast?
    var forecast: RunForecast?

    /// Bytes of all ranks of the root's node at their peak.
    var nodeBytes: Int {
      memory.bytes(root: true) + (split.ranks - 1) * memory.bytes(root: false)
    }
  }

  let run: PlannedRun
  let placement: RankPlacement
  let networkIsAssumed: Bool
  /// Bytes that a rank may take.
  let memoryOfRank: Int
  let largestPatch: Extent?
  /// The split of the run.
  let own: Split
  /// Other splits of as many cores.
  let others: [Split]

  var splits: [Split] { [own] + others }
  var memory: MemoryPlan { own.memory }
  var work: WorkSummary { WorkSummary(run.model, extent: run.extent, own.rehearsal) }

  /// The split that trains on most patches a second.
  var bestSplit: Split? {
    splits.max { ($0.forecast?.patchesPerSecond ?? 0) < ($1.forecast?.patchesPerSecond ?? 0) }
  }

  /// Each large kernel's size as a share of its map along x, y, z, which the article calls coverage.
  var coverage: [(placement: AttentionPlacement, share: [Double])] {
    run.model.gates.map { attention in
      (
        attention,
        run.extent.xyz.map { Double(attention.kernelSize) / Double($0 >> attention.scale) }
      )
    }
  }

  /// Whether a rank's memory holds the run.
  package var fits: Bool { memory.bytes(root: true) <= memoryOfRank }
}
