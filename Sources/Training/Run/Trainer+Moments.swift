import Collectives
import NN
import Tensors

/// Adam's two moments of all parameters, each in one flat block.
struct WholeMoments {
  let first: FloatBuffer
  let second: FloatBuffer
}

// Moments in a checkpoint are whole; with `optimizer.shard` each rank keeps those of its shards.
extension Trainer {
  /// All moments, on the root; nil on the others. Without shards they are the optimizer's own.
  ///
  /// Collective; uses the block of gradients, so not between backward and update.
  func wholeMoments() throws(CommunicationError) -> WholeMoments? {
    guard let shards else { return momentsToFill() }
    let (first, second) = (
      try gathered(optimizer.first, shards), try gathered(optimizer.second, shards)
    )
    guard let first, let second else { return nil }
    return WholeMoments(first: first, second: second)
  }

  /// Where the root reads a checkpoint's moments to, which `spread` then sends; nil on the others.
  func momentsToFill() -> WholeMoments? {
    guard world.rank == 0 else { return nil }
    guard shards != nil else {
      return WholeMoments(first: optimizer.first, second: optimizer.second)
    }
    let count = model.parameters.count
    return WholeMoments(first: FloatBuffer(zeros: count), second: FloatBuffer(zeros: count))
  }

  /// Sends the root's moments to where they are kept: all to every rank, or to each those of its
  /// shards. Collective; uses the block of gradients.
  func spread(_ whole: WholeMoments?) throws(CommunicationError) {
    for (own, all) in [(optimizer.first, whole?.first), (optimizer.second, whole?.second)] {
      guard shards != nil else {
        try world.broadcast(own.slice)
        continue
      }
      let block = model.parameters.gradients.slice
      if let all { block.copy(all.slice) }
      try world.broadcast(block)
      optimizer.forEachRange { range, kept in
        own.slice.slice(kept).copy(block.slice(range))
      }
    }
  }

  private func gathered(
    _ own: FloatBuffer, _ shards: ShardLayout
  ) throws(CommunicationError) -> FloatBuffer? {
    let block = model.parameters.gradients.slice
    optimizer.forEachRange { range, kept in
      block.slice(range).copy(own.slice.slice(kept))
    }
    try world.gather(block, shards)
    guard world.rank == 0 else { return nil }
    let whole = FloatBuffer(zeros: block.count)
    whole.slice.copy(block)
    return whole
  }
}
