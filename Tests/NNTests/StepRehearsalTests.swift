import Kernels
import NN
import Tensors
import Testing

/// A step that is not computed, against the same step computed.
@Suite struct StepRehearsalTests {
  private static func configuration(_ attention: [AttentionPlacement]) -> ModelConfiguration {
    ModelConfiguration(
      inputs: 2, outputs: 3, attention: attention, channels: 16, maximumChannels: 64, scales: 4)
  }

  private static let models: [ModelConfiguration] = [
    configuration(ModelConfiguration.none), configuration(ModelConfiguration.mid(scales: 4)),
    configuration(ModelConfiguration.full(scales: 4)),
    configuration(ModelConfiguration.cbam(scales: 4)),
    configuration([AttentionPlacement(scale: 1, kernelSize: 6, dilation: 2, kind: .whole)]),
  ]

  @Test(arguments: models, Recompute.allCases)
  func `a rehearsed step calls what a real one calls and takes the memory it takes`(
    model: ModelConfiguration, recompute: Recompute
  ) throws {
    let extent = Extent(depth: 16, height: 24, width: 32)
    let loss = model.attention.isEmpty ? Loss.diceBCE : .diceCE
    let rehearsal = try StepRehearsal(
      model, loss: loss, extent: extent, recompute: recompute, threads: 2)

    let profile = Profile()
    let compute = Compute(threads: 2, profile: profile)
    let network = try LKUNet(model, recompute: recompute, on: compute, seed: 1)
    let image = VoxelGrid(zeros: Shape(channels: model.inputs, extent: extent))
    network.parameters.zeroGradients()
    let target = loss.emptyTarget(outputs: model.outputs, extent: extent)
    let result = loss(network.forward(image), target: target, scale: 1, on: compute)
    var released: [Int] = []
    network.backward(result.gradients) { released.append($0) }
    _ = network.parameters.gradientNorm()
    Adam(count: network.parameters.count)
      .update(network.parameters, learningRate: 1e-3, on: compute)

    #expect(rehearsal.poolBytes == 4 * compute.pool.peak)
    #expect(rehearsal.releases.map(\.offset) == released)
    #expect(rehearsal.calls.map(\.layer) == profile.entries.map(\.layer))
    #expect(rehearsal.calls.map(\.phase) == profile.entries.map(\.phase))
    #expect(rehearsal.calls.map(\.calls) == profile.entries.map(\.calls))
    #expect(rehearsal.calls.map(\.operations) == profile.entries.map(\.operations))
  }

  @Test func `exact kernels have the operations of direct convolutions`() throws {
    let model = Self.configuration(ModelConfiguration.mid(scales: 4))
    let extent = Extent(depth: 16, height: 16, width: 16)
    let rehearsal = try StepRehearsal(
      model, loss: .diceCE, extent: extent, threads: 1, precision: .exact)
    let forward = rehearsal.inferenceCalls.reduce(0) { $0 + $1.operations }
    // Inference leaves out all heads but the finest; a transposed convolution reads 8 of 64 taps.
    let direct = model.directOperations(on: extent).filter { $0.name != "head.1" }
    #expect(abs(forward - direct.reduce(0) { $0 + $1.operations }) < 1e-9 * forward)
  }

  @Test func `a patch larger than this machine is rehearsed without taking its memory`() throws {
    let model = Self.configuration(ModelConfiguration.none)
    let extent = Extent(depth: 512, height: 512, width: 512)
    let rehearsal = try StepRehearsal(model, loss: .diceBCE, extent: extent, threads: 1)
    #expect(rehearsal.poolBytes > 1 << 35)
  }
}
