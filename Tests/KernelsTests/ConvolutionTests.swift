import Kernels
import Tensors
import Testing

struct DenseCase: CustomTestStringConvertible, Sendable {
  var inputs: [Int]
  var outputs: Int
  var size: [Int]
  var kernelSize = 3
  var stride = 1

  var extent: Extent { Extent(depth: size[0], height: size[1], width: size[2]) }
  var naive: NaiveConvolution {
    let padding = (kernelSize - 1) / 2
    return NaiveConvolution(
      input: Shape(channels: inputs.reduce(0, +), extent: extent),
      output: Shape(channels: outputs, extent: extent.map { ($0 + stride - 1) / stride }),
      kernelSize: kernelSize, stride: stride, padding: padding)
  }
  var implementations: [DenseImplementation] {
    kernelSize == 1 ? [.sweep] : DenseImplementation.allCases
  }
  var testDescription: String {
    "\(inputs) to \(outputs), \(size), \(kernelSize)^3 stride \(stride)"
  }

  static let all = [
    DenseCase(inputs: [16], outputs: 16, size: [1, 1, 1]),
    DenseCase(inputs: [16], outputs: 48, size: [2, 3, 5]),
    DenseCase(inputs: [48], outputs: 16, size: [7, 5, 33]),
    DenseCase(inputs: [32, 16], outputs: 32, size: [3, 7, 31]),
    DenseCase(inputs: [16, 16, 48], outputs: 32, size: [5, 4, 2]),
    DenseCase(inputs: [128], outputs: 80, size: [2, 2, 2]),
    DenseCase(inputs: [16], outputs: 16, size: [1, 1, 1], stride: 2),
    DenseCase(inputs: [16], outputs: 32, size: [7, 5, 33], stride: 2),
    DenseCase(inputs: [32, 16], outputs: 16, size: [6, 2, 31], stride: 2),
    DenseCase(inputs: [64], outputs: 48, size: [3, 7, 16], kernelSize: 1),
    DenseCase(inputs: [512], outputs: 16, size: [3, 2, 5]),
    DenseCase(inputs: [16], outputs: 512, size: [5, 4, 4]),
    // More tiles than are worked on at once, and two slabs of input channels.
    DenseCase(inputs: [64, 16], outputs: 16, size: [17, 18, 33]),
    DenseCase(inputs: [16], outputs: 144, size: [31, 9, 33]),
    DenseCase(inputs: [80], outputs: 16, size: [33, 31, 35], stride: 2),
  ]
}

@Suite struct ConvolutionTests {
  let compute = Compute(threads: 2)

  @Test(arguments: DenseCase.all)
  func `dense convolutions agree with plain loops`(test: DenseCase) {
    let naive = test.naive
    let x = NaiveMap(naive.input, random: "x")
    let dy = NaiveMap(naive.output, random: "dy")
    let weight = randomSlice(naive.weightCount, "w")
    let bias = randomSlice(test.outputs, "b")
    var start = 0
    let maps = test.inputs.map { channels in
      defer { start += channels }
      return x.featureMap(start..<start + channels, on: compute)
    }
    let expected = (
      y: naive.forward(x, weight, bias: bias), dx: naive.inputGradient(dy, weight),
      dw: naive.weightGradient(x, dy)
    )
    for way in test.implementations {
      let (y, moments) = DenseConvolution.forward(
        maps, weight: weight, bias: bias, outputs: test.outputs, kernelSize: test.kernelSize,
        stride: test.stride, using: way, on: compute)
      #expect(isClose(y, expected.y, way))
      if let moments { expectMoments(moments, of: expected.y) }
      let dx = DenseConvolution.inputGradient(
        dy.featureMap(on: compute), weight: weight, inputShape: naive.input,
        kernelSize: test.kernelSize, stride: test.stride, using: way, on: compute)
      #expect(isClose(dx, expected.dx, way))
      let (dw, db) = (ones(naive.weightCount), ones(test.outputs))
      DenseConvolution.weightGradient(
        maps, dy.featureMap(on: compute), weight: dw, bias: db, kernelSize: test.kernelSize,
        stride: test.stride, using: way, on: compute)
      #expect(isClose(added(dw), expected.dw, way))
      #expect(relativeError(added(db), channelSums(dy)) < tolerance)
    }
  }

  @Test(
    arguments: [[1, 1, 1], [2, 3, 5], [7, 1, 33], [5, 31, 2], [17, 19, 18]])
  func `transposed convolutions agree with plain loops`(size: [Int]) {
    let small = Extent(depth: size[0], height: size[1], width: size[2])
    // The transposed map is the adjoint of the convolution of stride 2 from large to small.
    let naive = NaiveConvolution(
      input: Shape(channels: 16, extent: small.map { $0 * 2 }),
      output: Shape(channels: 48, extent: small), kernelSize: 4, stride: 2, padding: 1)
    let x = NaiveMap(naive.output, random: "x")
    let dy = NaiveMap(naive.input, random: "dy")
    let weight = randomSlice(naive.weightCount, "w")
    let bias = randomSlice(16, "b")
    var expected = naive.inputGradient(x, weight)
    for index in expected.values.indices {
      expected.values[index] += Double(bias.values[index / naive.input.extent.voxels])
    }
    let down = naive.forward(dy, weight, bias: FloatBuffer(zeros: 48).slice)
    let weightGradient = naive.weightGradient(dy, x)
    for way in DenseImplementation.allCases {
      let (y, moments) = TransposedConvolution.forward(
        x.featureMap(on: compute), weight: weight, bias: bias, outputs: 16, using: way,
        on: compute)
      #expect(isClose(y, expected, way))
      if let moments { expectMoments(moments, of: expected) }
      let dx = TransposedConvolution.inputGradient(
        dy.featureMap(on: compute), weight: weight, inputs: 48, using: way, on: compute)
      #expect(isClose(dx, down, way))
      let (dw, db) = (ones(naive.weightCount), ones(16))
      TransposedConvolution.weightGradient(
        x.featureMap(on: compute), dy.featureMap(on: compute), weight: dw, bias: db, using: way,
        on: compute)
      #expect(isClose(added(dw), weightGradient, way))
      #expect(relativeError(added(db), channelSums(dy)) < tolerance)
    }
  }

  @Test(arguments: [1, 3, 4], [[1, 1, 1], [2, 3, 5], [5, 7, 33]])
  func `the stem agrees with plain loops`(channels: Int, size: [Int]) {
    let extent = Extent(depth: size[0], height: size[1], width: size[2])
    let naive = NaiveConvolution(
      input: Shape(channels: channels, extent: extent),
      output: Shape(channels: 48, extent: extent), kernelSize: 3, padding: 1)
    let x = NaiveMap(naive.input, random: "x")
    let dy = NaiveMap(naive.output, random: "dy")
    let weight = randomSlice(naive.weightCount, "w")
    let bias = randomSlice(48, "b")
    let y = StemConvolution.forward(x.grid, weight: weight, bias: bias, outputs: 48, on: compute)
    #expect(relativeError(y, naive.forward(x, weight, bias: bias)) < tolerance)
    let (dw, db) = (ones(naive.weightCount), ones(48))
    StemConvolution.weightGradient(
      x.grid, dy.featureMap(on: compute), weight: dw, bias: db, on: compute)
    #expect(relativeError(added(dw), naive.weightGradient(x, dy)) < tolerance)
    #expect(relativeError(added(db), channelSums(dy)) < tolerance)
  }

  @Test(arguments: [[1, 1, 1], [3, 2, 7], [5, 7, 33], [9, 31, 16]])
  func `depthwise convolutions agree with plain loops`(size: [Int]) {
    let shape = Shape(
      channels: 48, extent: Extent(depth: size[0], height: size[1], width: size[2]))
    for (k, dilation) in [(1, 1), (3, 1), (5, 1), (7, 3), (3, 2)] {
      let naive = NaiveConvolution(
        input: shape, output: shape, kernelSize: k, dilation: dilation,
        padding: dilation * (k / 2), isDepthwise: true)
      let x = NaiveMap(shape, random: "x")
      let dy = NaiveMap(shape, random: "dy")
      let (a, d) = (x.featureMap(on: compute), dy.featureMap(on: compute))
      let weight = randomSlice(naive.weightCount, "w")
      let bias = randomSlice(48, "b")
      let y = DepthwiseConvolution.forward(
        a, weight: weight, bias: bias, kernelSize: k, dilation: dilation, on: compute)
      #expect(relativeError(y, naive.forward(x, weight, bias: bias)) < tolerance)
      let dx = DepthwiseConvolution.inputGradient(
        d, weight: weight, kernelSize: k, dilation: dilation, on: compute)
      #expect(relativeError(dx, naive.inputGradient(dy, weight)) < tolerance)
      let (dw, db) = (ones(naive.weightCount), ones(48))
      DepthwiseConvolution.weightGradient(
        a, d, weight: dw, bias: db, kernelSize: k, dilation: dilation, on: compute)
      #expect(relativeError(added(dw), naive.weightGradient(x, dy)) < tolerance)
      #expect(relativeError(added(db), channelSums(dy)) < tolerance)
    }
  }

  @Test(arguments: [1, 3, 14], [[1, 1, 1], [2, 3, 5], [16, 17, 33]])
  func `the head agrees with plain loops`(outputs: Int, size: [Int]) {
    let extent = Extent(depth: size[0], height: size[1], width: size[2])
    let naive = NaiveConvolution(
      input: Shape(channels: 48, extent: extent),
      output: Shape(channels: outputs, extent: extent), kernelSize: 1, padding: 0)
    let x = NaiveMap(naive.input, random: "x")
    let dz = NaiveMap(naive.output, random: "dy")
    let weight = randomSlice(naive.weightCount, "w")
    let bias = randomSlice(outputs, "b")
    let map = x.featureMap(on: compute)
    let z = Head.forward(map, weight: weight, bias: bias, outputs: outputs, on: compute)
    #expect(
      relativeError(NaiveMap(z).values, naive.forward(x, weight, bias: bias).values) < tolerance)
    let dx = Head.inputGradient(dz.grid, weight: weight, inputs: 48, on: compute)
    #expect(relativeError(dx, naive.inputGradient(dz, weight)) < tolerance)
    let (dw, db) = (ones(naive.weightCount), ones(outputs))
    Head.weightGradient(map, dz.grid, weight: dw, bias: db, on: compute)
    #expect(relativeError(added(dw), naive.weightGradient(x, dz)) < tolerance)
    #expect(relativeError(added(db), channelSums(dz)) < tolerance)
  }
}
