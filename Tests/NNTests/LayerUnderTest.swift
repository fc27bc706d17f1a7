import Kernels
import NN
import Tensors
import Testing

/// One layer of the network on its own: planar values in and out.
struct LayerUnderTest {
  let store: ParameterStore
  let compute: Compute
  private let run: (VoxelGrid) -> [Float]
  private let runBack: (VoxelGrid, VoxelGrid) -> [Float]?

  /// The output's values for an input.
  func forward(_ x: VoxelGrid) -> [Float] { run(x) }

  /// The input's gradient (nil for the first block), the parameters' being added to the store.
  func backward(_ x: VoxelGrid, _ dy: VoxelGrid) -> [Float]? { runBack(x, dy) }

  init(_ fixture: Fixture, slope: Float = 0.01, threads: Int = 2) throws {
    let compute = Compute(threads: threads)
    let store = try Self.makeStore(fixture, compute)
    let inputs = try #require(fixture.meta.input)[0]
    let outputs = try #require(fixture.meta.output)[0]
    let settings = NormSettings(groups: 8, slope: slope)
    self.store = store
    self.compute = compute
    switch fixture.meta.kind {
    case "block", "first-block":
      var block = Block("layer", inputs: inputs, outputs: outputs, settings, in: store)
      let first = fixture.meta.kind == "first-block"
      run = {
        block.forward(Self.blockInput($0, first, compute), keeping: true, on: compute).planar
      }
      runBack = { x, dy in
        let dFirst = block.backward(
          FeatureMap(dy, from: compute.pool), input: Self.blockInput(x, first, compute), on: compute
        ) { _ in }
        return first ? nil : block.inputGradient(dFirst, on: compute).planar
      }
    case "down":
      let layer = Convolution(
        "layer.down", .dense(kernelSize: 3, stride: 2), inputs: inputs, outputs: outputs, in: store)
      run = { layer.forward(Self.input($0, compute), on: compute).planar }
      runBack = { x, dy in
        let dy = FeatureMap(dy, from: compute.pool)
        layer.addGradients(dy, input: Self.input(x, compute), on: compute)
        return layer.inputGradient(dy, on: compute).planar
      }
    case "up":
      var layer = NormalizedConvolution(
        Convolution("layer.up", .transposed, inputs: inputs, outputs: outputs, in: store),
        norm: "layer.upnorm", settings, in: store)
      run = {
        layer.forward(Self.input($0, compute), keeping: true, on: compute).planar
      }
      runBack = { x, dy in
        let dMap = layer.backward(
          FeatureMap(dy, from: compute.pool), input: Self.input(x, compute), on: compute)
        return layer.inputGradient(dMap, on: compute).planar
      }
    case "attention":
      let kernel = try #require(fixture.meta.kernel)
      let placement = AttentionPlacement(scale: 0, kernelSize: kernel[0], dilation: kernel[1])
      var attention = LKAttention("layer", placement, channels: inputs, in: store)
      run = {
        attention.forward(FeatureMap($0, from: compute.pool), keeping: true, on: compute).planar
      }
      runBack = { x, dy in
        attention.backward(
          FeatureMap(dy, from: compute.pool), input: FeatureMap(x, from: compute.pool),
          on: compute
        ) { _ in }.planar
      }
    case "head":
      let head = OutputHead("layer.head", inputs: inputs, outputs: outputs, in: store)
      run = { head.forward(FeatureMap($0, from: compute.pool), on: compute).array }
      runBack = { x, dy in
        head.backward(dy, input: FeatureMap(x, from: compute.pool), on: compute).planar
      }
    default:
      throw UnknownKind(kind: fixture.meta.kind)
    }
  }

  struct UnknownKind: Error { let kind: String? }

  private static func makeStore(_ fixture: Fixture, _ compute: Compute) throws -> ParameterStore {
    var parameters: [Parameter] = []
    var offset = 0
    for entry in try #require(fixture.meta.parameters) {
      parameters.append(
        Parameter(
          name: "layer.\(entry.name)", shape: entry.shape, offset: offset,
          initialization: .constant(0)))
      offset += entry.shape.reduce(1, *)
    }
    let store = ParameterStore(parameters, on: compute)
    Drawn.setParameters(store, case: fixture.name, dropping: "layer.")
    return store
  }

  /// The image itself, or two maps side by side, as a decoder's block reads them.
  private static func blockInput(
    _ x: VoxelGrid, _ isImage: Bool, _ compute: Compute
  ) -> LayerInput {
    if isImage { return .image(x) }
    let (half, all) = (x.shape.channels / 2, x.array)
    let shape = Shape(channels: half, extent: x.shape.extent)
    return .maps(
      (0..<2).map { part in
        let values = all[part * shape.count..<(part + 1) * shape.count]
        return FeatureMap(VoxelGrid(shape, values: values), from: compute.pool)
      })
  }

  private static func input(_ x: VoxelGrid, _ compute: Compute) -> LayerInput {
    .maps([FeatureMap(x, from: compute.pool)])
  }
}
