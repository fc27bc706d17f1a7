import NN
import Tensors
import Testing

/// What the start of a run and the end of a step cost; printed, and held to generous ratios.
@Suite(.serialized) struct SpeedTests {
  @Test func `the paper's model is drawn in seconds`() {
    let model = ModelConfiguration(inputs: 4, outputs: 3, attention: [])
    let compute = Compute(threads: 2)
    let store = ParameterStore(model.parameters, on: compute)
    let clock = ContinuousClock()
    let draw = clock.measure { store.initialize(seed: 1) }
    let adam = Adam(count: store.count)
    adam.update(store, learningRate: 1e-3, on: compute)
    let update = clock.measure { adam.update(store, learningRate: 1e-3, on: compute) }
    let clip = clock.measure { store.clipGradients(toNorm: 1) }
    let zero = clock.measure { store.zeroGradients() }
    print("101 M values: draw \(draw), Adam \(update), norm \(clip), zero \(zero)")
    #expect(draw < .seconds(60))
  }
}
