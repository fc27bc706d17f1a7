import Kernels
import Tensors
import Testing

@Suite struct ThreadIndependenceTests {
  /// Every pass's results, one array each.
  private func results(threads: Int) -> [[Double]] {
    let compute = Compute(threads: threads)
    let extent = Extent(depth: 10, height: 9, width: 33)
    let x = NaiveMap(Shape(channels: 48, extent: extent), random: "x").featureMap(on: compute)
    let y = NaiveMap(Shape(channels: 32, extent: extent), random: "y").featureMap(on: compute)
    let image = NaiveMap(Shape(channels: 3, extent: extent), random: "image").grid
    let large = NaiveMap(Shape(channels: 32, extent: extent.map { 2 * $0 }), random: "large")
      .featureMap(on: compute)
    let weight = randomSlice(48 * 32 * 64, "w")
    let bias = randomSlice(48, "b")
    let dense = weight.slice(0..<48 * 32 * 27)
    let (b32, w7) = (bias.slice(0..<32), weight.slice(0..<48 * 343))
    var gradients: [FloatSlice] = []
    func gradient(_ count: Int) -> FloatSlice {
      gradients.append(ones(count))
      return gradients[gradients.count - 1]
    }
    DenseConvolution.weightGradient(
      [x], y, weight: gradient(48 * 32 * 27), bias: gradient(32), kernelSize: 3, stride: 1,
      on: compute)
    TransposedConvolution.weightGradient(
      x, large, weight: gradient(48 * 32 * 64), bias: gradient(32), on: compute)
    StemConvolution.weightGradient(
      image, y, weight: gradient(3 * 32 * 27), bias: gradient(32), on: compute)
    DepthwiseConvolution.weightGradient(
      x, x, weight: gradient(48 * 343), bias: gradient(48), kernelSize: 7, dilation: 3,
      on: compute)
    let statistics = GroupNormalization.statistics(of: x, groups: 8, on: compute)
    var normalized = x
    GroupNormalization.forward(
      &normalized, statistics, weight: bias, bias: bias, slope: 0.01, on: compute)
    var normalizedGradient = x
    GroupNormalization.backward(
      &normalizedGradient, x: x, statistics: statistics, weight: bias, bias: bias,
      gradient: gradient(48), db: gradient(48), slope: 0.01, on: compute)
    let maps = [
      DenseConvolution.forward(
        [x], weight: dense, bias: b32, outputs: 32, kernelSize: 3, stride: 1, on: compute
      ).0,
      DenseConvolution.inputGradient(
        y, weight: dense, inputShape: x.shape, kernelSize: 3, stride: 1, on: compute),
      TransposedConvolution.forward(x, weight: weight, bias: b32, outputs: 32, on: compute).0,
      TransposedConvolution.inputGradient(large, weight: weight, inputs: 48, on: compute),
      StemConvolution.forward(
        image, weight: weight.slice(0..<3 * 32 * 27), bias: b32, outputs: 32, on: compute),
      DepthwiseConvolution.forward(
        x, weight: w7, bias: bias, kernelSize: 7, dilation: 3, on: compute),
      normalized,
      normalizedGradient,
    ]
    return maps.map { NaiveMap($0).values } + gradients.map { added($0) }
  }

  @Test func `no result depends on the number of threads`() {
    let expected = results(threads: 1)
    #expect(results(threads: 2) == expected)
    #expect(results(threads: 3) == expected)
  }

  @Test func `a second call takes all its memory from the pool`() {
    let compute = Compute(threads: 2)
    let shape = Shape(channels: 16, extent: Extent(depth: 4, height: 4, width: 4))
    let x = FeatureMap(zeros: shape, from: compute.pool)
    let (weight, bias) = (randomSlice(16 * 16 * 27, "w"), randomSlice(16, "b"))
    func forward() {
      _ = DenseConvolution.forward(
        [x], weight: weight, bias: bias, outputs: 16, kernelSize: 3, stride: 1, on: compute)
    }
    forward()
    let growths = compute.pool.growths
    forward()
    #expect(compute.pool.growths == growths)
  }

}
