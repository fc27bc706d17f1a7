import Imaging
import Tensors

/// Times augmentation of patches of a made-up subject, as one thread of a loader does it.
package struct AugmentationBenchmark {
  private let subject: PreparedSubject
  private let extent: Extent

  /// A subject half as large again as the patches along each axis, of `channels` channels.
  package init(patch extent: Extent, channels: Int) {
    self.extent = extent
    let volume = extent.map { $0 * 3 / 2 }
    let geometry = Geometry(extent: volume, affine: Affine(spacing: [1, 1, 1]))
    subject = PreparedSubject(
      identifier: "made-up",
      image: Self.image(Shape(channels: channels, extent: volume)), labels: Self.labels(volume),
      path: PreparationPath(
        stored: geometry, axes: .identity, crop: VoxelBox(lower: [0, 0, 0], extent: volume),
        prepared: geometry))
  }

  private static func image(_ shape: Shape) -> VoxelGrid {
    var stream = RandomStream(seed: 1, purpose: "benchmark")
    return VoxelGrid(shape, values: (0..<shape.count).map { _ in Float(stream.uniform()) })
  }

  /// Cubes of 16 voxels with labels 0 to 3, so that voting has borders to work on.
  private static func labels(_ extent: Extent) -> [Int16] {
    (0..<extent.voxels).map { index in
      let (x, y) = (index % extent.width, index / extent.width % extent.height)
      return Int16((x / 16 + y / 16 + index / (extent.width * extent.height) / 16) % 4)
    }
  }

  /// The mean seconds of a patch over `patches` with the transforms of a preset, as
  /// `{"augmentation": name, "patch_s": seconds}`, after one that does not count.
  package func line(preset: Augmentation.Preset, patches: Int) -> JSON {
    line(preset.rawValue, Augmentation(preset: preset), patches: patches)
  }

  /// The same for each kind of transform alone, applied to every patch and channel.
  package func linesForEachKind(patches: Int) -> [JSON] {
    let always: [Augmentation.Transform] = [
      .rotation(Rotation(probability: 1)), .scaling(Scaling(probability: 1)),
      .elastic(Elastic(probability: 1)), .biasField(BiasField(probability: 1)),
      .noise(Noise(probability: 1)), .blur(Blur(probability: 1, channelProbability: 1)),
      .brightness(Brightness(probability: 1)), .contrast(Contrast(probability: 1)),
      .lowResolution(LowResolution(probability: 1, channelProbability: 1)),
      .invertedGamma(Gamma(probability: 1)), .gamma(Gamma(probability: 1)),
      .mirror(Mirroring(probability: 1)),
    ]
    return always.map {
      line(
        $0.kind.rawValue, Augmentation(preset: .none, transforms: [$0]), patches: patches)
    }
  }

  private func line(_ name: String, _ augmentation: Augmentation, patches: Int) -> JSON {
    let sampler = PatchSampler(
      patchExtent: extent, foregroundFraction: 0.33, augmentation: augmentation, seed: 42)
    _ = sampler.sample(subject, epoch: 0, position: patches)
    let start = ContinuousClock.now
    for position in 0..<patches { _ = sampler.sample(subject, epoch: 0, position: position) }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return ["augmentation": .string(name), "patch_s": .number(seconds / Double(patches))]
  }
}
