import NN
import Tensors
import TestSupport
import Testing

@Suite struct GradientTreeTests {
  /// Values of very different size, so that another order of summing gives other bits; some are -0.
  private func sample(_ index: Int, _ count: Int) -> [Float] {
    var stream = RandomStream(seed: 1, purpose: "gradient", patch: index)
    return (0..<count).map { place in
      place % 7 == 0 ? -0.0 : Float(stream.normal()) * (place % 2 == 0 ? 1e4 : 1e-3)
    }
  }

  private func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

  @Test(arguments: 1...9) func `samples are summed in the balanced tree, to the bit`(samples: Int) {
    let count = 70_001
    let block = FloatBuffer(zeros: count)
    let tree = GradientTree(block.slice, samples: 9, on: Compute(threads: 2))
    // Twice, for the second step must not see the first.
    for step in 0..<2 {
      let leaves = (0..<samples).map { sample(10 * step + $0, count) }
      for (index, leaf) in leaves.enumerated() {
        if index > 0 { #expect(block.slice.values.allSatisfy { $0 == 0 }) }
        _ = block.slice.mutableValues.update(fromContentsOf: leaf)
        if index < samples - 1 { tree.sampleEnded() }
      }
      for offset in [65_000, 65_000, 3, 0] { tree.gradientsAreFinal(from: offset) }
      #expect(bits(block.slice.values) == bits(treeSum(leaves)))
    }
  }

  @Test func `a branch of samples is a branch of the whole tree`() {
    let leaves = (0..<8).map { sample($0, 100) }
    for width in [2, 4] {
      let branches = stride(from: 0, to: 8, by: width).map {
        treeSum(Array(leaves[$0..<$0 + width]))
      }
      #expect(bits(treeSum(branches)) == bits(treeSum(leaves)))
    }
  }

  @Test func `the tree keeps a block for each power of two`() {
    #expect([1, 2, 3, 4, 5, 8, 9].map(GradientTree.levels) == [0, 1, 2, 2, 3, 3, 4])
  }
}
