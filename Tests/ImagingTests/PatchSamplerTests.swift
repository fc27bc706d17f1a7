import Imaging
import Tensors
import Testing

@Suite struct PatchSamplerTests {
  /// A volume whose image tells each voxel's index and channel.
  private func subject(_ xyz: [Int], labels: (Int) -> Int16 = { _ in 0 }) -> PreparedSubject {
    let extent = Extent(xyz: xyz)
    let voxels = extent.voxels
    let geometry = Geometry(extent: extent, affine: Affine(spacing: [1, 1, 1]))
    return PreparedSubject(
      identifier: "case",
      image: VoxelGrid(
        Shape(channels: 2, extent: extent),
        values: (0..<2 * voxels).map { Float($0 % voxels + 1) * ($0 < voxels ? 1 : -1) }),
      labels: (0..<voxels).map(labels),
      path: PreparationPath(
        stored: geometry, axes: .identity,
        crop: VoxelBox(lower: [0, 0, 0], extent: extent), prepared: geometry))
  }

  private func expectMatch(_ patch: Patch, _ subject: PreparedSubject) {
    let (extent, volume) = (patch.image.shape.extent, subject.extent)
    for z in 0..<extent.depth {
      for y in 0..<extent.height {
        for x in 0..<extent.width {
          let at = [x + patch.corner.x, y + patch.corner.y, z + patch.corner.z]
          let isInside = zip(at, volume.xyz).allSatisfy { $0 >= 0 && $0 < $1 }
          let index = (at[2] * volume.height + at[1]) * volume.width + at[0]
          let label = patch.labels[(z * extent.height + y) * extent.width + x]
          let expected = isInside ? Float(index + 1) : 0
          #expect(patch.image[0, z, y, x] == expected)
          #expect(patch.image[1, z, y, x] == -expected)
          #expect(label == (isInside ? subject.labels?[index] : 0))
        }
      }
    }
  }

  @Test(arguments: [[9, 8, 7], [3, 8, 7], [4, 2, 1], [4, 4, 4]])
  func `a patch holds the voxels at its corner and zeros around the volume`(size: [Int]) {
    let subject = subject(size) { Int16($0 % 3) }
    let sampler = PatchSampler(
      patchExtent: Extent(xyz: [4, 5, 4]), foregroundFraction: 0.5, seed: 1)
    // Blocks go back to the pool, so later patches begin with used memory.
    for position in 0..<20 {
      expectMatch(sampler.sample(subject, epoch: 3, position: position), subject)
    }
  }

  @Test func `padding is symmetric, the smaller half first`() {
    let sampler = PatchSampler(
      patchExtent: Extent(xyz: [8, 7, 6]), foregroundFraction: 0, seed: 1)
    let corner = sampler.sample(subject([3, 5, 6]), epoch: 0, position: 0).corner
    #expect(corner == VoxelIndex(z: 0, y: -1, x: -2))
  }

  @Test func `a patch is a function of seed, epoch and position`() {
    let subject = subject([40, 40, 40]) { $0 % 1000 == 0 ? 1 : 0 }
    func corners(_ seed: UInt64, _ epoch: Int) -> [VoxelIndex] {
      let sampler = PatchSampler(
        patchExtent: Extent(xyz: [8, 8, 8]), foregroundFraction: 0.33, seed: seed)
      return (0..<8).map { sampler.sample(subject, epoch: epoch, position: $0).corner }
    }
    #expect(corners(1, 0) == corners(1, 0))
    #expect(corners(1, 0) != corners(2, 0))
    #expect(corners(1, 0) != corners(1, 1))
    #expect(Set(corners(1, 0)).count == 8)
  }

  @Test func `foreground patches are centered on every class equally often`() {
    // Class 7 has one voxel in the middle, class 2 a whole slice near the edge.
    let subject = subject([21, 21, 21]) { index in
      index == (10 * 21 + 10) * 21 + 10 ? 7 : index < 441 ? 2 : 0
    }
    let sampler = PatchSampler(
      patchExtent: Extent(xyz: [5, 5, 5]), foregroundFraction: 1, seed: 9)
    let patches = (0..<1000).map { sampler.sample(subject, epoch: 0, position: $0) }
    let middle = patches.filter { $0.corner == VoxelIndex(z: 8, y: 8, x: 8) }
    #expect(abs(middle.count - 500) < 80)
    #expect(middle.allSatisfy { $0.labels[(2 * 5 + 2) * 5 + 2] == 7 })
    #expect(patches.allSatisfy { $0.labels.contains { $0 != 0 } })
    #expect(patches.allSatisfy { (0...16).contains($0.corner.x) && $0.corner.z >= 0 })
  }

  @Test func `a third of the patches is drawn around the foreground and the rest anywhere`() {
    let subject = subject([101, 101, 101]) { $0 == (50 * 101 + 50) * 101 + 50 ? 1 : 0 }
    let sampler = PatchSampler(
      patchExtent: Extent(xyz: [4, 4, 4]), foregroundFraction: 0.33, seed: 4)
    let patches = (0..<2000).map { sampler.sample(subject, epoch: 1, position: $0) }
    let centered = patches.filter { $0.corner == VoxelIndex(z: 48, y: 48, x: 48) }.count
    #expect(abs(centered - 660) < 90)
    let xs = Set(patches.map(\.corner.x))
    #expect(xs.min() == 0 && xs.max() == 97)
  }

  @Test func `a subject without foreground or labels still gives patches`() {
    var unlabeled = subject([6, 6, 6])
    unlabeled.labels = nil
    let sampler = PatchSampler(
      patchExtent: Extent(xyz: [4, 4, 4]), foregroundFraction: 1, seed: 1)
    #expect(
      sampler.sample(unlabeled, epoch: 0, position: 0).labels == [Int16](repeating: 0, count: 64))
    expectMatch(sampler.sample(subject([6, 6, 6]), epoch: 0, position: 0), subject([6, 6, 6]))
  }

  @Test func `reflecting turns image and labels around together`() {
    let subject = subject([3, 4, 5]) { Int16($0) }
    let sampler = PatchSampler(
      patchExtent: subject.extent, foregroundFraction: 0, seed: 1)
    let original = sampler.sample(subject, epoch: 0, position: 0)
    for axis in Axis.allCases {
      var patch = original
      Mirroring.reflect(&patch, along: [axis])
      for (z, y, x) in [(0, 0, 0), (1, 3, 1), (4, 2, 0)] {
        let from = (
          axis == .z ? 4 - z : z, axis == .y ? 3 - y : y, axis == .x ? 2 - x : x
        )
        #expect(patch.image[1, z, y, x] == original.image[1, from.0, from.1, from.2])
        #expect(patch.labels[(z * 4 + y) * 3 + x] == Int16((from.0 * 4 + from.1) * 3 + from.2))
      }
      Mirroring.reflect(&patch, along: [axis])
      #expect(patch.image.values.elementsEqual(original.image.values))
      #expect(patch.labels == original.labels)
    }
  }

  @Test func `reflecting along several axes is one after the other`() {
    let subject = subject([3, 4, 5]) { Int16($0) }
    let sampler = PatchSampler(patchExtent: subject.extent, foregroundFraction: 0, seed: 1)
    var (one, other) = (
      sampler.sample(subject, epoch: 0, position: 0), sampler.sample(subject, epoch: 0, position: 0)
    )
    Mirroring.reflect(&one, along: Set(Axis.allCases))
    for axis in Axis.allCases { Mirroring.reflect(&other, along: [axis]) }
    #expect(one.image.values.elementsEqual(other.image.values))
    #expect(one.labels == other.labels)
    let turned: [Int16]? = subject.labels.map { $0.reversed() }
    #expect(one.labels == turned)
  }

  @Test func `mirroring follows its own stream, axes and probability`() {
    func draws(_ mirroring: Mirroring) -> [Set<Axis>] {
      (0..<1000).map {
        var stream = PatchKey(seed: 3, epoch: 0, position: $0).stream("mirror")
        return mirroring.draw(&stream)
      }
    }
    let drawn = draws(Mirroring(axes: [.x, .z], probability: 0.5))
    for axis in [Axis.x, .z] {
      #expect(abs(drawn.filter { $0.contains(axis) }.count - 500) < 80)
    }
    #expect(!drawn.contains { $0.contains(.y) })
    #expect(Set(drawn).count == 4)
    let alone = draws(Mirroring(axes: [.x], probability: 0.5))
    #expect(alone == drawn.map { $0.intersection([.x]) })
    #expect(Set(draws(Mirroring(probability: 0))) == [[]])
  }

  @Test func `a mirrored sample is the plain sample turned around`() {
    let subject = subject([9, 9, 9]) { Int16($0 % 5) }
    func sample(_ transforms: [Augmentation.Transform]) -> Patch {
      PatchSampler(
        patchExtent: Extent(xyz: [4, 4, 4]), foregroundFraction: 0.5,
        augmentation: Augmentation(preset: .none, transforms: transforms), seed: 8
      ).sample(subject, epoch: 0, position: 5)
    }
    var plain = sample([])
    let mirrored = sample([.mirror(Mirroring(axes: [.y], probability: 1))])
    #expect(mirrored.corner == plain.corner)
    Mirroring.reflect(&plain, along: [.y])
    #expect(mirrored.labels == plain.labels)
    #expect(mirrored.image.values.elementsEqual(plain.image.values))
  }
}
