import Kernels
import NN
import Tensors
import Testing

/// One layer of the network on its own: planar values in and out.
struct LayerUnderTest {
  let store: ParameterStore
  private let passes: Passes

  /// A layer's two directions. `backward` takes the input and the output's gradient, adds the
  /// parameters' gradients and returns the input's, or nil where it has none.
  private struct Passes {
    let forward: (VoxelGrid) -> [Float]
    let backward: (VoxelGrid, VoxelGrid) -> [Float]?
  }

  /// What every layer is made with.
  private struct Parts {
    let store: ParameterStore
    let compute: Compute
    let settings: NormSettings
    let inputs: Int
    let outputs: Int

    func map(_ grid: VoxelGrid) -> FeatureMap { FeatureMap(grid, from: compute.pool) }
  }

  struct UnknownKind: Error { let kind: String? }

  init(_ fixture: Fixture, slope: Float = 0.01, precision: Precision = .fast) throws {
    let compute = Compute(threads: 2, precision: precision)
    store = try Self.makeStore(fixture, compute)
    let parts = Parts(
      store: store, compute: compute, settings: NormSettings(groups: 8, slope: slope),
      inputs: try #require(fixture.meta.input)[0], outputs: try #require(fixture.meta.output)[0])
    switch fixture.meta.kind {
    case "block": passes = Self.block(parts) { Self.halves($0, parts) }
    case "first-block": passes = Self.firstBlock(parts)
    case "down": passes = Self.down(parts)
    case "up": passes = Self.up(parts)
    case "attention":
      passes = Self.attention(parts, .decomposed, kernel: try #require(fixture.meta.kernel))
    case "whole":
      passes = Self.attention(parts, .whole, kernel: try #require(fixture.meta.kernel))
    case "cbam": passes = Self.attention(parts, .cbam, kernel: [1, 1])
    case "head": passes = Self.head(parts)
    default: throw UnknownKind(kind: fixture.meta.kind)
    }
  }

  func forward(_ x: VoxelGrid) -> [Float] { passes.forward(x) }

  func backward(_ x: VoxelGrid, _ dy: VoxelGrid) -> [Float]? { passes.backward(x, dy) }

  static func makeStore(_ fixture: Fixture, _ compute: Compute) throws -> ParameterStore {
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

  /// The channels as two maps side by side, as a decoder's block reads them.
  private static func halves(_ x: VoxelGrid, _ parts: Parts) -> LayerInput {
    let shape = Shape(channels: x.shape.channels / 2, extent: x.shape.extent)
    let values = x.array
    return .maps(
      (0..<2).map { half in
        parts.map(
          VoxelGrid(shape, values: values[half * shape.count..<(half + 1) * shape.count]))
      })
  }

  private static func block(_ parts: Parts, input: @escaping (VoxelGrid) -> LayerInput) -> Passes {
    let compute = parts.compute
    var block = Block(
      "layer", inputs: parts.inputs, outputs: parts.outputs, parts.settings, in: parts.store)
    return Passes(
      forward: { block.forward(input($0), keeping: true, on: compute).planar },
      backward: { x, dy in
        let dFirst = block.backward(parts.map(dy), input: { input(x) }, on: compute) { _ in }
        return block.inputGradient(dFirst, on: compute).planar
      })
  }

  private static func firstBlock(_ parts: Parts) -> Passes {
    let compute = parts.compute
    var block = Block(
      "layer", inputs: parts.inputs, outputs: parts.outputs, parts.settings, in: parts.store)
    return Passes(
      forward: { block.forward(.image($0), keeping: true, on: compute).planar },
      backward: { x, dy in
        _ = block.backward(parts.map(dy), input: { .image(x) }, on: compute) { _ in }
        return nil
      })
  }

  private static func down(_ parts: Parts) -> Passes {
    let layer = Convolution(
      "layer.down", .dense(kernelSize: 3, stride: 2), inputs: parts.inputs,
      outputs: parts.outputs, in: parts.store)
    return Passes(
      forward: { layer.forward(.maps([parts.map($0)]), on: parts.compute).map.planar },
      backward: { x, dy in
        let dy = parts.map(dy)
        layer.addGradients(dy, input: .maps([parts.map(x)]), on: parts.compute)
        return layer.inputGradient(dy, on: parts.compute).planar
      })
  }

  private static func up(_ parts: Parts) -> Passes {
    let compute = parts.compute
    var layer = NormalizedConvolution(
      Convolution(
        "layer.up", .transposed, inputs: parts.inputs, outputs: parts.outputs, in: parts.store),
      norm: "layer.upnorm", parts.settings, in: parts.store)
    return Passes(
      forward: { layer.forward(.maps([parts.map($0)]), keeping: true, on: compute).planar },
      backward: { x, dy in
        let dMap = layer.backward(parts.map(dy), input: { .maps([parts.map(x)]) }, on: compute)
        return layer.inputGradient(dMap, on: compute).planar
      })
  }

  private static func attention(
    _ parts: Parts, _ kind: AttentionPlacement.Kind, kernel: [Int]
  ) -> Passes {
    let compute = parts.compute
    let placement = AttentionPlacement(
      scale: 0, kernelSize: kernel[0], dilation: kernel[1], kind: kind)
    var attention = AttentionModule("layer", placement, channels: parts.inputs, in: parts.store)
    return Passes(
      forward: { attention.forward(parts.map($0), keeping: true, on: compute).planar },
      backward: { x, dy in
        var gradient = parts.map(dy)
        attention.backward(&gradient, input: parts.map(x), on: compute) { _ in }
        return gradient.planar
      })
  }

  private static func head(_ parts: Parts) -> Passes {
    let head = OutputHead(
      "layer.head", inputs: parts.inputs, outputs: parts.outputs, in: parts.store)
    return Passes(
      forward: { head.forward(parts.map($0), on: parts.compute).array },
      backward: { x, dy in
        head.backward(dy, input: { parts.map(x) }, on: parts.compute).planar
      })
  }
}
