import Collectives
import Foundation
import Imaging
import NN
import Tensors
import Training

/// Ranks that share a volume's windows.
func predictionTests() -> [MultiRankTest] {
  [
    MultiRankTest("windows dealt to all ranks give one rank's probabilities, to the bit") {
      world, checks in
      try compare(world, checks, mirrors: false, bands: [0..<29])
    },
    MultiRankTest("so they do mirrored and in bands") { world, checks in
      try compare(world, checks, mirrors: true, bands: [0..<5, 5..<6, 6..<29])
    },
  ]
}

private func compare(
  _ world: Communicator, _ checks: Checks, mirrors: Bool, bands: [Range<Int>]
) throws {
  let compute = Compute(threads: 1)
  let scheme = LabelScheme(
    of: Dataset(
      name: "two", channelNames: ["MRI"],
      labels: [0, 1].map { DatasetLabel(value: $0, name: "\($0)") }, subjects: []), loss: .diceCE)
  let model = try LKUNet(
    ModelConfiguration(
      inputs: 1, outputs: 2, attention: [], channels: 16, maximumChannels: 16, scales: 2),
    on: compute, seed: 4)
  let shape = Shape(channels: 1, extent: Extent(xyz: [19, 21, 29]))
  var stream = RandomStream(seed: 8, purpose: "image", patch: 0)
  let values: [Float] = (0..<shape.count).map { _ -> Float in Float(stream.normal()) }
  let image = VoxelGrid(shape, values: values)
  func segment(_ share: WindowShare) throws -> [Float] {
    var all: [Float] = []
    let member = Segmenter.Member(model: model, patch: Extent(xyz: [8, 12, 10]))
    try Segmenter([member], scheme: scheme, mirrors: mirrors, share: share, on: compute)
      .segment([image], bands: bands) { _, probabilities in all += probabilities.values }
    return all
  }
  let (shared, own) = (try segment(.all(of: world)), try segment(.own))
  checks.equal(own.count, 2 * shape.count)
  checks.equal(Set(own).count > 1000, true)
  checks.expect(shared == (world.rank == 0 ? own : []), "other probabilities")
}
