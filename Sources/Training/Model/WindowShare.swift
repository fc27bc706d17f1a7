import Collectives
import Imaging
import Tensors

/// Who computes the windows of a volume: this rank, or all ranks in turn.
package struct WindowShare: Sendable {
  private let ranks: Communicator?

  /// All windows are this rank's.
  package static var own: WindowShare { WindowShare(ranks: nil) }

  /// The windows are dealt to the ranks of `world`, which must all segment the same volume.
  package static func all(of world: Communicator) -> WindowShare {
    WindowShare(ranks: world.size > 1 ? world : nil)
  }

  /// Whether this rank gets the results.
  package var isRoot: Bool { (ranks?.rank ?? 0) == 0 }

  /// Has `infer` called for each window by one of the ranks, and on the root `take` for all of them in
  /// their order, so that its sums are those of one rank to the bit. Collective.
  ///
  /// - Parameter shape: that of every window's result.
  func forEach(
    _ windows: [VoxelIndex], shape: Shape, infer: (VoxelIndex) -> VoxelGrid,
    take: (VoxelIndex, VoxelGrid) -> Void
  ) throws(CommunicationError) {
    guard let ranks else {
      for window in windows { take(window, infer(window)) }
      return
    }
    let message = FloatBuffer(zeros: shape.count)
    for round in stride(from: 0, to: windows.count, by: ranks.size) {
      let turn = windows[round..<min(windows.count, round + ranks.size)]
      let own = round + ranks.rank < turn.endIndex ? infer(windows[round + ranks.rank]) : nil
      for (rank, window) in turn.enumerated() {
        if rank == ranks.rank, let own {
          _ = message.slice.mutableValues.update(fromContentsOf: own.values)
        }
        try ranks.broadcast(message.slice, root: rank)
        if isRoot { take(window, VoxelGrid(shape, in: message)) }
      }
    }
  }

  /// The root's number on every rank. Collective.
  func agree(on number: Int) throws(CommunicationError) -> Int {
    guard let ranks else { return number }
    return try ranks.allreduceSum(isRoot ? number : 0)
  }

  /// Whether something holds on every rank. Collective.
  package func isTrueForAll(_ condition: Bool) throws(CommunicationError) -> Bool {
    guard let ranks else { return condition }
    return try ranks.allreduceMin(condition ? 1 : 0) == 1
  }
}
