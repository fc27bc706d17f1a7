import Foundation
import Imaging
import Synchronization
import Tensors
import Testing

@Suite struct AugmentationTests {
  private static let every: [Augmentation.Transform] = [
    .rotation(Rotation(probability: 1)), .scaling(Scaling(probability: 1)),
    .elastic(Elastic(probability: 1, controlSpacing: 8, displacement: 2...3)),
    .biasField(BiasField(probability: 1)), .noise(Noise(probability: 1)),
    .blur(Blur(probability: 1, channelProbability: 1)), .brightness(Brightness(probability: 1)),
    .contrast(Contrast(probability: 1)),
    .lowResolution(LowResolution(probability: 1, channelProbability: 1)),
    .invertedGamma(Gamma(probability: 1)), .gamma(Gamma(probability: 1)),
    .mirror(Mirroring(axes: [.x], probability: 1)),
  ]

  /// A subject whose first channel is its label, in blocks of 5, and whose second is a ramp.
  private func subject(_ xyz: [Int] = [30, 28, 26], labels: [Int16] = [0, 2, 3, 7])
    -> PreparedSubject
  {
    let extent = Extent(xyz: xyz)
    let map = (0..<extent.voxels).map { index in
      let (x, y) = (index % extent.width, index / extent.width % extent.height)
      let z = index / (extent.width * extent.height)
      return labels[(x / 5 + y / 5 + z / 5) % labels.count]
    }
    let ramp = (0..<extent.voxels).map { Float($0 % extent.width) }
    let geometry = Geometry(extent: extent, affine: Affine(spacing: [1, 1, 1]))
    return PreparedSubject(
      identifier: "case",
      image: VoxelGrid(Shape(channels: 2, extent: extent), values: map.map(Float.init) + ramp),
      labels: map,
      path: PreparationPath(
        stored: geometry, axes: .identity,
        crop: VoxelBox(lower: [0, 0, 0], extent: extent), prepared: geometry))
  }

  private func sampler(
    _ transforms: [Augmentation.Transform], _ xyz: [Int] = [13, 12, 11], seed: UInt64 = 1
  ) -> PatchSampler {
    PatchSampler(
      patchExtent: Extent(xyz: xyz), foregroundFraction: 0.3,
      augmentation: Augmentation(preset: .none, transforms: transforms), seed: seed)
  }

  @Test(arguments: every.indices)
  func `every transform changes the patch and depends on seed, epoch and position`(index: Int) {
    let subject = subject()
    let one = sampler([Self.every[index]])
    func values(_ sampler: PatchSampler, _ epoch: Int, _ position: Int) -> [Float] {
      Array(sampler.sample(subject, epoch: epoch, position: position).image.values)
    }
    let first = values(one, 2, 3)
    let isFinite = first.allSatisfy { $0.isFinite }
    #expect(isFinite)
    #expect(first == values(sampler([Self.every[index]]), 2, 3))
    #expect(first.allSatisfy { abs($0) < 200 })
    #expect(first != values(sampler([]), 2, 3))
    #expect(first != values(one, 2, 4))
    #expect(first != values(one, 3, 3))
    #expect(first != values(sampler([Self.every[index]], seed: 2), 2, 3))
  }

  @Test func `patches are the same whatever the thread`() {
    let subject = subject()
    let sampler = sampler(Self.every)
    let alone = (0..<16).map { sampler.sample(subject, epoch: 0, position: $0) }
    let together = Mutex<[Int: Patch]>([:])
    DispatchQueue.concurrentPerform(iterations: 16) { position in
      let patch = sampler.sample(subject, epoch: 0, position: position)
      together.withLock { $0[position] = patch }
    }
    together.withLock { patches in
      for patch in alone {
        let other = patches[patch.position]
        #expect(other?.labels == patch.labels)
        #expect(other?.image.values.elementsEqual(patch.image.values) == true)
      }
    }
  }

  @Test func `adding a transform leaves the draws of the others as they were`() {
    let subject = subject()
    let mirror = Augmentation.Transform.mirror(Mirroring())
    let rotation = Augmentation.Transform.rotation(Rotation(probability: 0.5))
    for position in 0..<10 {
      let alone = sampler([rotation, mirror]).sample(subject, epoch: 0, position: position)
      let more = sampler([.brightness(Brightness(probability: 1)), mirror, rotation])
        .sample(subject, epoch: 0, position: position)
      #expect(alone.labels == more.labels)
    }
  }

  @Test func `labels stay among the known ones and with their voxels of the image`() {
    let subject = subject()
    // What interpolates: the first channel is the label itself, so where all eight voxels around a
    // place agree, image and label say the same.
    let sampler = sampler(Array(Self.every.prefix(3)) + [.mirror(Mirroring())])
    var agreeing = 0
    for position in 0..<20 {
      let patch = sampler.sample(subject, epoch: 0, position: position)
      #expect(Set(patch.labels).isSubset(of: [0, 2, 3, 7]))
      let values = patch.image.channel(0)
      for (value, label) in zip(values, patch.labels) where value == value.rounded() {
        if Int16(value) == label { agreeing += 1 }
      }
      withExtendedLifetime(patch) {}
    }
    #expect(agreeing > 20 * 13 * 12 * 11 / 10)
  }

  @Test func `a marker is found where the map puts it`() {
    var labels = [Int16](repeating: 0, count: 32 * 32 * 32)
    var values = [Float](repeating: 0, count: labels.count)
    for z in 0..<32 {
      for y in 0..<32 {
        for x in 0..<32 where (18...21).contains(x) && (14...17).contains(y) && z > 13 && z < 18 {
          labels[(z * 32 + y) * 32 + x] = 5
          values[(z * 32 + y) * 32 + x] = 1
        }
      }
    }
    let extent = Extent(xyz: [32, 32, 32])
    let sampler = SpatialSampler(
      VoxelGrid(Shape(channels: 1, extent: extent), values: values), labels: LabelGrid(labels))
    let window = PatchWindow(
      corner: VoxelIndex(z: 0, y: 0, x: 0), extent: extent, volume: extent)
    // A quarter turn about z and twice the size: 4 mm right of the center is 8 mm up or down.
    let map = SpatialMap(window, angles: [0, 0, .pi / 2], scale: 2, spacing: [1, 1, 1])
    let patch = sampler.sample(map, from: MemoryPool())
    let found = patch.labels.indices.filter { patch.labels[$0] == 5 }
    func mean(_ coordinate: (Int) -> Int) -> Double {
      Double(found.map(coordinate).reduce(0, +)) / Double(found.count)
    }
    let center = SIMD3<Double>(mean { $0 % 32 }, mean { $0 / 32 % 32 }, mean { $0 / 1024 })
    #expect(abs(center.x - 15.5) < 1e-9 && abs(center.z - 15.5) < 1e-9)
    #expect(abs(center.y - 7.5) < 1e-9)
    // The 8 voxels at the corners weigh 0.75^3, less than half.
    #expect(found.count == 8 * 64 - 8)
    #expect(found.allSatisfy { patch.image.values[$0] > 0.2 })
  }

  @Test func `outside the volume images are 0 and labels background`() {
    let subject = subject([6, 6, 6], labels: [7])
    let patch = sampler([.rotation(Rotation(probability: 1))], [24, 24, 24])
      .sample(subject, epoch: 0, position: 0)
    let corners = [0, 23, 23 * 24, 24 * 24 * 24 - 1]
    #expect(corners.allSatisfy { patch.labels[$0] == 0 && patch.image.values[$0] == 0 })
    #expect(patch.labels.count { $0 == 7 } > 150)
  }

  @Test func `a patch is changed in place`() {
    let subject = subject()
    let sampler = sampler(Self.every)
    for position in 0..<3 {
      let patch = sampler.sample(subject, epoch: 0, position: position)
      // A copy would lie outside the pool.
      #expect(patch.image.values.baseAddress.map(sampler.pool.owns) ?? false)
    }
  }

  @Test func `presets are the documented lists, and listed kinds replace theirs`() {
    func kinds(_ augmentation: Augmentation) -> [Augmentation.Kind] {
      augmentation.transforms.map(\.kind)
    }
    #expect(kinds(.none).isEmpty)
    #expect(kinds(Augmentation(preset: .light)) == [.noise, .brightness, .mirror])
    #expect(
      kinds(Augmentation(preset: .default)) == [
        .rotation, .scaling, .noise, .blur, .brightness, .contrast, .lowResolution,
        .invertedGamma, .gamma, .mirror,
      ])
    let mirror = Augmentation.Transform.mirror(Mirroring(axes: [.x]))
    let bias = Augmentation.Transform.biasField(BiasField())
    let mixed = Augmentation(preset: .light, transforms: [mirror, bias])
    #expect(kinds(mixed) == [.biasField, .noise, .brightness, .mirror])
    #expect(mixed.transforms.last == mirror)
  }
}
