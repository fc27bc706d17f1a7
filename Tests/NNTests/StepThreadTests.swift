import NN
import Tensors
import Testing

@Suite struct StepThreadTests {
  /// The bits of loss and weights after two steps on a patch that no number of threads divides.
  private func step(threads: Int, _ recompute: Recompute, _ precision: Precision) throws -> [UInt64]
  {
    let compute = Compute(threads: threads, precision: precision)
    let model = try LKUNet(
      ModelConfiguration(
        inputs: 2, outputs: 3, attention: ModelConfiguration.full(scales: 3), channels: 16,
        maximumChannels: 48, scales: 3), recompute: recompute, on: compute, seed: 4)
    let adam = Adam(count: model.parameters.count)
    let extent = Extent(depth: 36, height: 20, width: 44)
    let image = Drawn.grid("image", Shape(channels: 2, extent: extent))
    let target = Drawn.target("target", .diceCE, outputs: 3, extent, ignore: false)
    var bits: [UInt64] = []
    for _ in 0..<2 {
      model.parameters.zeroGradients()
      let result = Loss.diceCE(model.forward(image), target: target, scale: 1, on: compute)
      model.backward(result.gradients) { _ in }
      bits += [result.value, model.parameters.gradientNorm()].map(\.bitPattern)
      adam.update(model.parameters, learningRate: 1e-3, on: compute)
    }
    return bits + model.parameters.values.slice.values.map { UInt64($0.bitPattern) }
  }

  @Test(arguments: [(Recompute.none, Precision.fast), (.blocks, .exact)])
  func `a whole step has the same bits for any number of threads`(
    recompute: Recompute, precision: Precision
  ) throws {
    let expected = try step(threads: 1, recompute, precision)
    for threads in [2, 3] { #expect(try step(threads: threads, recompute, precision) == expected) }
  }
}
