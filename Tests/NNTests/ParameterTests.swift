import Foundation
import NN
import Tensors
import Testing

@Suite struct ParameterTests {
  private func configuration(_ attention: [AttentionPlacement]) -> ModelConfiguration {
    ModelConfiguration(inputs: 4, outputs: 3, attention: attention)
  }

  @Test func `the paper's variants have their number of parameters`() {
    let base = configuration(ModelConfiguration.none).parameterCount
    #expect(base == 100_988_684)
    #expect(configuration(ModelConfiguration.mid(scales: 6)).parameterCount == base + 76_672)
    #expect(configuration(ModelConfiguration.full(scales: 6)).parameterCount == base + 470_560)
  }

  @Test func `parameters follow each other in the order of the forward pass`() {
    let model = ModelConfiguration(
      inputs: 1, outputs: 2, attention: ModelConfiguration.mid(scales: 4), channels: 16,
      maximumChannels: 32, scales: 4)
    var modules: [String] = []
    var offset = 0
    for parameter in model.parameters {
      #expect(parameter.offset == offset)
      offset += parameter.count
      let module = parameter.name.split(separator: ".").prefix(2).joined(separator: ".")
      if modules.last != module { modules.append(module) }
    }
    #expect(
      modules == [
        "encoder.0", "down.0", "encoder.1", "down.1", "encoder.2", "down.2", "encoder.3",
        "decoder.2", "decoder.1", "head.1", "decoder.0", "head.0",
      ])
    #expect(
      model.parameters.first { $0.name == "decoder.2.up.weight" }?.shape == [32, 32, 4, 4, 4])
    #expect(
      model.parameters.first { $0.name == "decoder.2.attention.local.weight" }?.shape
        == [32, 1, 5, 5, 5])
  }

  @Test func `initial values follow the rule and the seed alone`() throws {
    let model = ModelConfiguration(
      inputs: 1, outputs: 2, attention: ModelConfiguration.mid(scales: 3), channels: 32,
      maximumChannels: 64, scales: 3)
    let stores = [(1, 7), (3, 7), (1, 8)].map { threads, seed in
      let store = ParameterStore(model.parameters, on: Compute(threads: threads))
      store.initialize(seed: UInt64(seed))
      return store
    }
    #expect(stores[0].values.slice.values.elementsEqual(stores[1].values.slice.values))
    #expect(!stores[0].values.slice.values.elementsEqual(stores[2].values.slice.values))
    let fans = [
      "encoder.1.conv2.weight": 64 * 27, "decoder.0.up.weight": 8 * 64,
      "decoder.1.attention.dilated.weight": 343,
    ]
    for (name, fan) in fans {
      let values = stores[0].values(of: try #require(stores[0].parameter(name))).values
      let squares = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
      let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
      let expected = 2 / (1.0001 * Double(fan))
      #expect(abs(squares / expected - 1) < 0.05, "\(name)")
      #expect(abs(mean) < 0.05 * expected.squareRoot(), "\(name)")
    }
    for (name, value) in [("encoder.0.norm1.weight", Float(1)), ("encoder.0.conv1.bias", 0)] {
      let slice = stores[0].values(of: try #require(stores[0].parameter(name)))
      #expect(slice.values.allSatisfy { $0 == value })
    }
  }

  private func store(_ count: Int) -> ParameterStore {
    let parameter = Parameter(name: "w", shape: [count], offset: 0, initialization: .constant(0))
    return ParameterStore([parameter], on: Compute(threads: 2))
  }

  @Test func `clipping scales only what exceeds the limit`() {
    let store = store(200_001)
    let all = [0..<200_001]
    store.gradients.slice.mutableValues.update(repeating: 0.5)
    let norm = store.gradientNorm()
    #expect(abs(norm - 0.5 * (200_001.0).squareRoot()) < 1e-9)
    store.clipGradients(in: all, ofNorm: norm, to: 1000)
    #expect(store.gradients.slice.values.allSatisfy { $0 == 0.5 })
    store.clipGradients(in: all, ofNorm: norm, to: 1)
    #expect(abs(store.gradientNorm() - 1) < 1e-5)
    store.gradients.slice.mutableValues[7] = .nan
    #expect(store.gradientNorm().isNaN)
    store.clipGradients(in: all, ofNorm: .nan, to: 1)
    store.zeroGradients()
    #expect(store.gradientNorm() == 0)
  }

  @Test func `a norm shared by ranks has the bits of one alone`() {
    let store = store(200_001)
    var stream = RandomStream(seed: 2, purpose: "norm")
    for index in 0..<store.count { store.gradients.pointer[index] = Float(stream.normal()) }
    let own = [8192..<40960, 4096 * 40..<200_001]
    let others = [0..<8192, 40960..<4096 * 40]
    let norm = store.gradientNorm(in: own) { squares in
      _ = store.gradientNorm(in: others) { theirs in
        squares = zip(squares, theirs).map { $0 + $1 }
      }
    }
    #expect(norm == store.gradientNorm())
  }
}
