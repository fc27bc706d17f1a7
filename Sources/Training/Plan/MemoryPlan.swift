import NN
import Tensors

/// The memory of a rank at its peak, item by item.
struct MemoryPlan: Sendable {
  struct Item: Sendable {
    let name: String
    let bytes: Int
    /// Why only the root has it; nil for every rank.
    var isRootOnly = false
  }

  let items: [Item]

  /// A rank's bytes at its peak.
  ///
  /// - Parameter root: whether it is the root, which also copies what it writes.
  func bytes(root: Bool) -> Int {
    items.reduce(0) { $0 + (root || !$1.isRootOnly ? $1.bytes : 0) }
  }

  /// - Parameters:
  ///   - poolBytes: those of the step's rehearsal.
  ///   - program: bytes of a process that has done nothing yet.
  init(_ run: PlannedRun, ranks: Int, poolBytes: Int, program: Int) {
    let settings = run.configuration
    let block = MemoryLayout<Float>.stride * run.model.parameterCount
    let moments = settings.optimizer.shard ? 2 * block / ranks : 2 * block
    let levels =
      settings.distributed.reproducible ? GradientTree.levels(settings.training.accumulate) : 0
    var items = [
      Item(name: "parameters and gradients", bytes: 2 * block),
      Item(name: "Adam's moments", bytes: moments),
      Item(name: "feature maps and work space", bytes: poolBytes),
      Item(name: "patches", bytes: run.patchBytes),
      Item(name: "program and libraries", bytes: program),
    ]
    if settings.distributed.compression == .bf16 && ranks > 1 {
      items.append(Item(name: "rounding errors of bf16", bytes: block))
    }
    if levels > 0 { items.append(Item(name: "reproducible sums", bytes: levels * block)) }
    items.append(Item(name: "copy for checkpoints", bytes: 3 * block, isRootOnly: true))
    self.items = items
  }
}
