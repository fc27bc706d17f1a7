import Tensors

/// What a checkpoint holds, as it was at the end of a step: a copy, so that training can go on.
package struct CheckpointSnapshot: Sendable {
  package let weights: [NamedTensor]
  /// Adam's moments under their weights' names; empty where `best` alone is to be written.
  package let first: [NamedTensor]
  package let second: [NamedTensor]
  package let metadata: CheckpointMetadata

  package init(
    weights: [NamedTensor], first: [NamedTensor] = [], second: [NamedTensor] = [],
    metadata: CheckpointMetadata
  ) {
    self.weights = weights
    self.first = first
    self.second = second
    self.metadata = metadata
  }
}

/// The memory of snapshots, 12 bytes a parameter: made at the first one and used again, for new
/// memory costs as much time as the copy.
package struct SnapshotMemory {
  private var blocks: [FloatBuffer] = []

  package init() {}

  /// Copies of flat blocks, which stay as they are until the next call.
  package mutating func copies(of live: [FloatBuffer]) -> [FloatBuffer] {
    for index in blocks.count..<max(blocks.count, live.count) {
      blocks.append(FloatBuffer(zeros: live[index].count))
    }
    for (block, copy) in zip(live, blocks) {
      copy.slice.mutableValues.baseAddress?.update(from: block.pointer, count: block.count)
    }
    return Array(blocks.prefix(live.count))
  }
}
