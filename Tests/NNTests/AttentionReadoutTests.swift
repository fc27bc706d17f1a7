import Kernels
import NN
import Tensors
import Testing

@Suite struct AttentionReadoutTests {
  /// A module of a fixture, its input, and what it shows of itself in a forward pass.
  private struct Seen {
    let fixture: Fixture
    let input: VoxelGrid
    let maps: AttentionMaps
    let compute = Compute(threads: 2)

    init(_ name: String) throws {
      fixture = try Fixture(name)
      let shape = Shape(try #require(fixture.meta.input))
      let kernel = try #require(fixture.meta.kernel)
      var module = LKAttention(
        "layer", AttentionPlacement(scale: 0, kernelSize: kernel[0], dilation: kernel[1]),
        channels: shape.channels, in: try LayerUnderTest.makeStore(fixture, compute))
      input = Drawn.grid("\(name)/input", shape)
      var seen: AttentionMaps?
      _ = module.forward(
        FeatureMap(input, from: compute.pool), keeping: false, on: compute, inspect: { seen = $0 })
      maps = try #require(seen)
    }

    func values(_ readout: AttentionReadout) -> [Float] {
      readout.values(maps.input, gate: maps.gate, on: compute).array
    }

    var channels: Int { input.shape.channels }
  }

  @Test(arguments: ["attention-21-3", "attention-6-2"])
  func `the map of each channel makes PyTorch's output of the module`(name: String) throws {
    let seen = try Seen(name)
    let attention = (0..<seen.channels).flatMap { seen.values(.channel($0)) }
    #expect(attention.allSatisfy { (0...1).contains($0) })
    // The fixture holds u + A u.
    let output = zip(seen.input.array, attention).map { $0 + $0 * $1 }
    #expect(try seen.fixture.worst("output", output) < 1e-5)
  }

  @Test func `the other maps are means over channels`() throws {
    let seen = try Seen("attention-21-3")
    let voxels = seen.input.shape.extent.voxels
    let u = seen.input.array
    let attention = (0..<seen.channels).flatMap { seen.values(.channel($0)) }
    func mean(_ values: [Float]) -> [Float] {
      (0..<voxels).map { voxel in
        stride(from: voxel, to: values.count, by: voxels).reduce(0) { $0 + values[$1] }
          / Float(seen.channels)
      }
    }
    let expected: [(AttentionReadout, [Float])] = [
      (.input, u), (.attention, attention), (.product, zip(u, attention).map { $0 * $1 }),
    ]
    for (readout, values) in expected {
      let worst = zip(seen.values(readout), mean(values)).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst < 1e-6, "\(readout)")
    }
  }

  @Test func `a network shows its gates from the coarsest and computes the same`() throws {
    let twin = try NetworkUnderTest("leaky-full-3")
    let plain = twin.model.infer(twin.image).array
    var scales: [Int] = []
    twin.model.inspectAttention = { scale, maps in
      scales.append(scale)
      #expect(maps.gate.shape.extent.width << scale == twin.image.shape.extent.width)
    }
    #expect(twin.model.infer(twin.image).array == plain)
    #expect(scales == [1, 0])
  }
}
