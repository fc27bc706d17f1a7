import NN
import Testing

@Suite struct KernelDecompositionTests {
  /// The paper's Table 1: K = 21; channels, original, decomposed with d = 1...5.
  static let table = [
    [32, 9_483_296, 297_504, 44_576, 16_096, 19_008, 28_448],
    [64, 37_933_120, 597_056, 91_200, 34_240, 40_064, 58_944],
    [128, 151_732_352, 1_202_304, 190_592, 76_672, 88_320, 126_080],
    [256, 606_929_152, 2_437_376, 413_952, 186_112, 209_408, 284_928],
    [512, 2_427_716_096, 5_005_824, 958_976, 503_296, 549_888, 700_928],
  ]

  @Test(arguments: table) func `counts are those of the paper's Table 1`(row: [Int]) {
    let channels = row[0]
    #expect(KernelDecomposition.originalCount(channels: channels, kernelSize: 21) == row[1])
    for dilation in 1...5 {
      let count = KernelDecomposition.decomposedCount(
        channels: channels, kernelSize: 21, dilation: dilation)
      #expect(count == row[1 + dilation])
    }
    #expect(KernelDecomposition.bestDilation(channels: channels, kernelSize: 21) == 3)
  }

  @Test func `the best real dilation of 21 is 3,4159`() {
    #expect(abs(KernelDecomposition.bestRealDilation(kernelSize: 21) - 3.4159) < 5e-5)
  }

  @Test func `the module has as many parameters as the formula says`() {
    func count(_ attention: [AttentionPlacement]) -> Int {
      ModelConfiguration(inputs: 1, outputs: 1, attention: attention).parameterCount
    }
    let placement = AttentionPlacement(scale: 4, kernelSize: 6, dilation: 2)
    #expect(
      count([placement]) - count([])
        == KernelDecomposition.decomposedCount(channels: 512, kernelSize: 6, dilation: 2))
  }
}
