import Kernels
import NN
import Tensors
import Testing

@Suite struct NetworkTests {
  @Test(arguments: [
    "linear-none-2", "linear-mid-3", "linear-full-4", "linear-mid-4", "linear-kinds-4",
  ])
  func `without the kink a whole network agrees with its twin`(name: String) throws {
    let twin = try NetworkUnderTest(name)
    let logits = twin.model.forward(twin.image)
    for (index, head) in logits.enumerated() {
      #expect(try twin.fixture.worst("logits\(index)", head.array) < 1e-4, "logits \(index)")
    }
    let loss = twin.lossAndGradients(logits)
    #expect(try abs(loss - #require(twin.fixture.meta.loss)) < 1e-4 * abs(loss))
    for parameter in twin.model.parameters.parameters {
      let gradient = twin.model.parameters.gradient(of: parameter)
      #expect(try twin.fixture.worst(parameter.name, gradient.values) < 1e-4, "\(parameter.name)")
    }
  }

  @Test(arguments: ["leaky-none-4", "leaky-mid-4", "leaky-full-3"])
  func `a network trains as its twin does`(name: String) throws {
    let twin = try NetworkUnderTest(name)
    let loss = twin.lossAndGradients(twin.model.forward(twin.image))
    #expect(try abs(loss - #require(twin.fixture.meta.loss)) < 1e-5)
    for parameter in twin.model.parameters.parameters {
      let gradient = twin.model.parameters.gradient(of: parameter)
      let distance = try twin.fixture.relativeNorm(parameter.name, gradient.values)
      #expect(distance < 5e-2, "\(parameter.name)")
    }
    let adam = Adam(count: twin.model.parameters.count)
    let rate = try #require(twin.fixture.meta.learningRate)
    for expected in try #require(twin.fixture.meta.losses) {
      twin.model.parameters.zeroGradients()
      let loss = twin.lossAndGradients(twin.model.forward(twin.image))
      #expect(abs(loss - expected) < 5e-3)
      adam.update(twin.model.parameters, learningRate: rate, on: twin.compute)
    }
  }

  @Test func `inference gives the finest logits and keeps nothing`() throws {
    let twin = try NetworkUnderTest("leaky-mid-4")
    let logits = twin.model.forward(twin.image)
    #expect(twin.model.infer(twin.image).array == logits[0].array)
  }

  @Test func `threads do not change a bit`() throws {
    let results = try [1, 2, 3].map { threads in
      let twin = try NetworkUnderTest("leaky-mid-4", threads: threads)
      let loss = twin.lossAndGradients(twin.model.forward(twin.image))
      return (loss, Array(twin.model.parameters.gradients.slice.values))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test(arguments: ["leaky-mid-4", "leaky-full-3"])
  func `computing blocks again does not change a bit`(name: String) throws {
    let results = try Recompute.allCases.map { recompute in
      let twin = try NetworkUnderTest(name, recompute: recompute)
      let loss = twin.lossAndGradients(twin.model.forward(twin.image))
      return (loss, Array(twin.model.parameters.gradients.slice.values))
    }
    #expect(results[0] == results[1])
  }

  @Test func `gradients add up and backward repeats`() throws {
    let twin = try NetworkUnderTest("leaky-full-3")
    _ = twin.lossAndGradients(twin.model.forward(twin.image))
    let once = Array(twin.model.parameters.gradients.slice.values)
    _ = twin.lossAndGradients(twin.model.forward(twin.image))
    let norm = once.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let excess = zip(twin.model.parameters.gradients.slice.values, once)
      .reduce(0) { $0 + ($1.0 - 2 * $1.1) * ($1.0 - 2 * $1.1) }.squareRoot()
    #expect(excess < 1e-5 * norm)
  }

  @Test func `backward says which gradients are final, from the last to the first`() throws {
    let twin = try NetworkUnderTest("linear-full-4")
    let store = twin.model.parameters
    let logits = twin.model.forward(twin.image)
    let loss = twin.loss(logits, target: twin.target, scale: 1, on: twin.compute)
    var seen: [(offset: Int, values: [Float])] = []
    twin.model.backward(loss.gradients) { offset in
      seen.append((offset, Array(store.gradients.slice.values[offset...])))
    }
    let offsets = seen.map(\.offset)
    #expect(offsets == offsets.sorted(by: >))
    #expect(offsets.first == store.parameter("head.0.weight")?.offset)
    #expect(offsets.last == 0)
    for (offset, values) in seen {
      #expect(values.elementsEqual(store.gradients.slice.values[offset...]))
    }
  }

  @Test func `an error of the caller stops backward`() throws {
    struct Lost: Error {}
    let twin = try NetworkUnderTest("linear-none-2")
    let logits = twin.model.forward(twin.image)
    #expect(throws: Lost.self) {
      try twin.model.backward(logits) { offset throws(Lost) in
        if offset < twin.model.parameters.count / 2 { throw Lost() }
      }
    }
  }

  @Test func `after the first step nothing is allocated`() throws {
    let twin = try NetworkUnderTest("leaky-full-3")
    _ = twin.lossAndGradients(twin.model.forward(twin.image))
    let growths = twin.compute.pool.growths
    for _ in 0..<2 { _ = twin.lossAndGradients(twin.model.forward(twin.image)) }
    #expect(twin.compute.pool.growths == growths)
  }

  /// What a step of two scales needs at once, in maps of the finest scale, workspaces included.
  @Test(arguments: zip([Recompute.none, .blocks], [8.75, 6.5]))
  func `no map lives longer than it is needed`(recompute: Recompute, most: Double) throws {
    let extent = Extent(depth: 64, height: 64, width: 64)
    let compute = Compute(threads: 1)
    let configuration = ModelConfiguration(
      inputs: 1, outputs: 1, attention: [], channels: 32, maximumChannels: 32, scales: 2)
    let model = try LKUNet(configuration, recompute: recompute, on: compute, seed: 1)
    let logits = model.forward(VoxelGrid(zeros: Shape(channels: 1, extent: extent)))
    model.backward(logits) { _ in }
    #expect(Double(compute.pool.peak) / Double(32 * extent.voxels) < most)
  }

  @Test func `a model outside the domain is refused`() {
    let configuration = ModelConfiguration(inputs: 1, outputs: 2, attention: [], channels: 24)
    #expect(throws: ModelError.self) {
      _ = try LKUNet(configuration, on: Compute(threads: 1), seed: 1)
    }
  }
}

/// A network, an image and a target of a fixture.
struct NetworkUnderTest {
  let fixture: Fixture
  let compute: Compute
  let model: LKUNet
  let image: VoxelGrid
  let target: Target
  let loss: Loss

  init(_ name: String, threads: Int = 2, recompute: Recompute = .none) throws {
    fixture = try Fixture(name)
    let meta = fixture.meta
    let (inputs, outputs) = (try #require(meta.inputs), try #require(meta.outputs))
    let extent = Extent(try #require(meta.extent))
    let configuration = ModelConfiguration(
      inputs: inputs, outputs: outputs,
      attention: try #require(meta.attention).map {
        AttentionPlacement(
          scale: $0[0], kernelSize: max(1, $0[1]), dilation: max(1, $0[2]),
          kind: $0[1] == 0 ? .cbam : $0[2] == 0 ? .whole : .decomposed)
      }, channels: 16, maximumChannels: try #require(meta.maximumChannels),
      scales: try #require(meta.scales))
    compute = Compute(threads: threads)
    model = try LKUNet(
      configuration, recompute: recompute, on: compute, seed: 1, slope: try #require(meta.slope))
    Drawn.setParameters(model.parameters, case: name)
    let shape = Shape(channels: inputs, extent: extent)
    image = Drawn.grid("\(name)/image", shape, scale: 1.7)
    loss = try #require(Loss(rawValue: meta.kind ?? ""))
    target = Drawn.target(
      name, loss, outputs: outputs, extent, ignore: meta.ignore ?? false)
  }

  /// The loss of `logits`, its gradients being added to the parameters'.
  func lossAndGradients(_ logits: [VoxelGrid]) -> Double {
    let result = loss(logits, target: target, scale: 1, on: compute)
    model.backward(result.gradients) { _ in }
    return result.value
  }
}
