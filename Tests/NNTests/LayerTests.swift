import Kernels
import NN
import Tensors
import Testing

@Suite struct LayerTests {
  static let layers = [
    "block", "first-block", "stride-2", "raise", "attention-21-3", "attention-6-2", "whole-5",
    "whole-4", "cbam", "head",
  ]
  /// Without the maxima and kinks of `cbam`, whose differences mean little.
  static let smoothLayers = layers.filter { $0 != "cbam" }

  @Test(arguments: layers, Precision.allCases)
  func `a layer agrees with its twin`(name: String, precision: Precision) throws {
    let bound: Float = precision == .exact ? 1e-5 : 1e-4
    let fixture = try Fixture(name)
    let layer = try LayerUnderTest(fixture, precision: precision)
    let (x, dy) = try inputs(fixture)
    #expect(try fixture.worst("output", layer.forward(x)) < bound)
    if let dx = layer.backward(x, dy) {
      #expect(try fixture.worst("inputGradient", dx) < bound)
    }
    for parameter in layer.store.parameters {
      let key = String(parameter.name.dropFirst("layer.".count))
      let worst = try fixture.worst(key, layer.store.gradient(of: parameter).values)
      #expect(worst < bound, "\(key)")
    }
  }

  @Test(arguments: smoothLayers)
  func `a layer's gradients are those of finite differences`(name: String) throws {
    let fixture = try Fixture(name)
    let layer = try LayerUnderTest(fixture, slope: 1)
    let (x, dy) = try inputs(fixture)
    func loss(_ x: VoxelGrid) -> Double {
      zip(layer.forward(x), dy.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    _ = layer.forward(x)
    let dx = layer.backward(x, dy)
    for parameter in layer.store.parameters {
      let values = layer.store.values(of: parameter)
      let original = Array(values.values)
      expectSlope(Array(layer.store.gradient(of: parameter).values), parameter.name) { move in
        _ = values.mutableValues.update(fromContentsOf: zip(original, move).map { $0 + $1 })
        return loss(x)
      }
      _ = values.mutableValues.update(fromContentsOf: original)
    }
    guard let dx else { return }
    expectSlope(dx, "input") { move in
      loss(VoxelGrid(x.shape, values: zip(x.array, move).map { $0 + $1 }))
    }
  }

  /// Expects `loss` to rise by `gradient` along the gradient, and along a random half of it.
  private func expectSlope(_ gradient: [Float], _ name: String, loss: ([Float]) -> Double) {
    let coins = Drawn.bits(name, gradient.count)
    for half in [false, true] {
      let direction = zip(gradient, coins).map { half && $1 % 2 == 0 ? 0 : $0 }
      let squared = direction.reduce(0) { $0 + Double($1) * Double($1) }
      // A move of 0.02 in all: large against rounding, small against curvature.
      let h = 0.01 / squared.squareRoot()
      let rise =
        loss(direction.map { $0 * Float(h) }) - loss(direction.map { $0 * Float(-h) })
      #expect(abs(rise / (2 * h) / squared - 1) < 1e-2, "\(name)")
    }
  }

  private func inputs(_ fixture: Fixture) throws -> (x: VoxelGrid, dy: VoxelGrid) {
    let (input, output) = (try #require(fixture.meta.input), try #require(fixture.meta.output))
    return (
      Drawn.grid("\(fixture.name)/input", Shape(input)),
      Drawn.grid("\(fixture.name)/outputGradient", Shape(output))
    )
  }
}
