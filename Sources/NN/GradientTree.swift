import Kernels
import Tensors

/// Sums the gradients of a step's samples in one fixed balanced binary tree, so that the sum's bits do
/// not depend on how the samples are dealt to ranks.
///
/// Samples 0 and 1, 2 and 3, ... are added first, then those sums in pairs, and so on; where the last
/// pair has no second, the first goes up alone. A rank that has 2^k samples in a row makes a whole
/// branch of depth k; a sum over ranks in the same order goes on with it.
package final class GradientTree {
  private let gradients: FloatSlice
  private let compute: Compute
  /// Level k holds the sum of 2^k samples in a row while the 2^k that follow are computed.
  private let levels: [FloatBuffer]
  private var samples = 0
  private var firstFinal: Int

  /// A tree over what backward passes leave in `gradients`, of up to `samples` samples a step.
  package init(_ gradients: FloatSlice, samples: Int, on compute: Compute) {
    self.gradients = gradients
    self.compute = compute
    levels = (0..<Self.levels(samples)).map { _ in FloatBuffer(zeros: gradients.count) }
    firstFinal = gradients.count
  }

  /// The blocks as large as the gradients that a tree of `samples` samples keeps: log2, rounded up.
  package static func levels(_ samples: Int) -> Int {
    Int.bitWidth - max(0, samples - 1).leadingZeroBitCount
  }

  /// Takes a sample's gradients out of the block, which is zero then; another sample follows.
  package func sampleEnded() {
    var level = 0
    while holds(level) {
      FlatBlock.add(levels[level].slice, to: gradients, on: compute)
      level += 1
    }
    FlatBlock.copy(gradients, to: levels[level].slice, on: compute)
    FlatBlock.fill(gradients, with: 0, on: compute)
    samples += 1
  }

  /// Says that the last sample's gradients of flat offsets >= `offset` are final: those of the samples
  /// before are added. At offset 0 the next step begins.
  ///
  /// - Parameter offset: 0...count, never above that of the call before in the same step.
  package func gradientsAreFinal(from offset: Int) {
    let range = offset..<firstFinal
    for level in levels.indices where holds(level) {
      FlatBlock.add(levels[level].slice.slice(range), to: gradients.slice(range), on: compute)
    }
    firstFinal = offset
    if offset == 0 { (samples, firstFinal) = (0, gradients.count) }
  }

  /// The levels in use are the binary digits of the number of samples taken.
  private func holds(_ level: Int) -> Bool { samples >> level & 1 == 1 }
}
