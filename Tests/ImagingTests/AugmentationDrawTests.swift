import Foundation
import Imaging
import Tensors
import Testing

/// The random draws against their stated probabilities and ranges.
@Suite struct AugmentationDrawTests {
  private static let trials = 2000

  /// The draws of `body` for the keys of many patches.
  private func draws<Value>(_ purpose: String, _ body: (inout RandomStream) -> Value) -> [Value] {
    (0..<Self.trials).map {
      var stream = PatchKey(seed: 11, epoch: 0, position: $0).stream(purpose)
      return body(&stream)
    }
  }

  /// Whether a share of the trials is `expected` within four standard deviations.
  private func isNear(_ count: Int, _ expected: Double) -> Bool {
    let deviation = (expected * (1 - expected) * Double(Self.trials)).squareRoot()
    return abs(Double(count) - expected * Double(Self.trials)) < 4 * deviation
  }

  @Test func `rotation turns a fifth of the patches by up to 30 degrees about each axis`() {
    let angles = draws("rotation") { Rotation().draw(&$0) }.compactMap(\.self)
    #expect(isNear(angles.count, 0.2))
    let limit = 30 * Double.pi / 180
    for axis in 0..<3 {
      let values = angles.map { $0[axis] }
      #expect(values.allSatisfy { abs($0) <= limit })
      #expect(values.contains { $0 > 0.9 * limit } && values.contains { $0 < -0.9 * limit })
    }
  }

  @Test func `scaling shrinks and enlarges equally often`() {
    let factors = draws("scaling") { Scaling().draw(&$0) }.compactMap(\.self)
    #expect(isNear(factors.count, 0.2))
    #expect(factors.allSatisfy { $0 >= 0.7 && $0 <= 1.4 })
    #expect(isNear(factors.count { $0 < 1 }, 0.1))
    #expect(factors.contains { $0 < 0.73 } && factors.contains { $0 > 1.36 })
  }

  /// How many of the patches a preset's kind of transform changes at all, and the channels of them.
  private func changes(_ transform: Augmentation.Transform) -> (patches: Int, channels: Int) {
    let shape = Shape(channels: 2, extent: Extent(xyz: [4, 4, 4]))
    let values = (0..<shape.count).map { Float($0 * 37 % 64) / 8 }
    let pool = MemoryPool()
    let augmentation = Augmentation(preset: .none, transforms: [transform])
    var counts = (patches: 0, channels: 0)
    for position in 0..<Self.trials {
      var patch = Patch(
        image: VoxelGrid(shape, values: values), labels: [Int16](repeating: 0, count: 64),
        subject: "", epoch: 0, position: position, corner: VoxelIndex(z: 0, y: 0, x: 0))
      augmentation.apply(
        to: &patch, key: PatchKey(seed: 5, epoch: 0, position: position), pool: pool)
      let after = Array(patch.image.values)
      let changed = [after[..<64] != values[..<64], after[64...] != values[64...]]
      counts.channels += changed.count { $0 }
      counts.patches += changed.contains(true) ? 1 : 0
    }
    return counts
  }

  @Test func `intensity transforms come as often as stated`() {
    let expected: [(Augmentation.Kind, Double, perChannel: Double)] = [
      (.noise, 0.1, 1), (.blur, 0.2, 0.5), (.brightness, 0.15, 1), (.contrast, 0.15, 1),
      // A quarter of the zooms of 4 voxels rounds to 4 and changes nothing.
      (.lowResolution, 0.25, 0.5 * 0.75), (.invertedGamma, 0.1, 1), (.gamma, 0.3, 1),
    ]
    for (kind, probability, perChannel) in expected {
      let transform = Augmentation.Preset.default.transforms.first { $0.kind == kind }
      guard let transform else {
        Issue.record("\(kind) is not in the preset")
        continue
      }
      let found = changes(transform)
      let untouched = 1 - perChannel
      #expect(isNear(found.patches, probability * (1 - untouched * untouched)), "\(kind)")
      #expect(isNear(found.channels / 2, probability * perChannel), "\(kind)")
    }
  }

  @Test func `noise is normal with the drawn variance`() {
    let shape = Shape(channels: 1, extent: Extent(xyz: [64, 64, 61]))
    var patch = Patch(
      image: VoxelGrid(zeros: shape), labels: [Int16](repeating: 0, count: shape.count),
      subject: "", epoch: 0, position: 0, corner: VoxelIndex(z: 0, y: 0, x: 0))
    let noise = Noise(probability: 1, variance: 0.25...0.25)
    Augmentation(preset: .none, transforms: [.noise(noise)])
      .apply(to: &patch, key: PatchKey(seed: 1, epoch: 0, position: 0), pool: MemoryPool())
    let z = patch.image.values.map { Double($0) / 0.5 }
    let count = Double(z.count)
    func moment(_ power: Double) -> Double { z.reduce(0) { $0 + pow($1, power) } / count }
    // Standard errors of the moments of 249,856 normal draws: 0.002, 0.0028, 0.0077, 0.0196.
    #expect(abs(moment(1)) < 0.01)
    #expect(abs(moment(2) - 1) < 0.014)
    #expect(abs(moment(3)) < 0.04)
    #expect(abs(moment(4) - 3) < 0.1)
    for (limit, share) in [(1.0, 0.682689), (2, 0.954500), (3, 0.997300)] {
      let inside = Double(z.count { abs($0) < limit }) / count
      #expect(abs(inside - share) < 4 * (share * (1 - share) / count).squareRoot())
    }
    // Neighbors, and the two draws of one pair, are independent.
    for step in [1, 8, 64] {
      let sum = zip(z, z.dropFirst(step)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(sum / count) < 0.01, "\(step)")
    }
  }
}
