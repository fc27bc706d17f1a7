import Tensors

/// Cuts random patches from prepared subjects; the same key always gives the same patch.
package struct PatchSampler: Sendable {
  /// The size of every patch.
  package let patchExtent: Extent
  /// How likely a patch is centered on a voxel of a class, in 0...1.
  package let foregroundFraction: Double
  /// The random changes of each patch.
  package let augmentation: Augmentation
  private let seed: UInt64
  /// Patches are as large as one another, so a run allocates only the first few.
  package let pool = MemoryPool()

  package init(
    patchExtent: Extent, foregroundFraction: Double, augmentation: Augmentation = .none,
    seed: UInt64
  ) {
    precondition(
      (0...1).contains(foregroundFraction), "foreground fraction \(foregroundFraction)")
    self.patchExtent = patchExtent
    self.foregroundFraction = foregroundFraction
    self.augmentation = augmentation
    self.seed = seed
  }

  /// The patch at `position` of `epoch`, cut from `subject`; one without labels counts as all 0.
  package func sample(_ subject: PreparedSubject, epoch: Int, position: Int) -> Patch {
    let key = PatchKey(seed: seed, epoch: epoch, position: position)
    var stream = key.stream("patch")
    let window = PatchWindow(
      corner: corner(in: subject, &stream), extent: patchExtent, volume: subject.extent)
    let (image, labels) = read(subject, window, key)
    // Consumed, so that the patch owns its memory alone: changing a shared image copies it first.
    var patch = Patch(
      image: consume image, labels: consume labels, subject: subject.identifier, epoch: epoch,
      position: position,
      corner: window.corner)
    augmentation.apply(to: &patch, key: key, pool: pool)
    return patch
  }

  /// The window's voxels, or what the patch's rotation, scaling and deformation bring there.
  private func read(
    _ subject: PreparedSubject, _ window: PatchWindow, _ key: PatchKey
  ) -> (image: VoxelGrid, labels: [Int16]) {
    let spacing = SIMD3(subject.path.prepared.spacing)
    if let map = augmentation.spatialMap(for: key, at: window, spacing: spacing) {
      return SpatialSampler(subject.image, labels: subject.labels).sample(map, from: pool)
    }
    return (
      window.cut(subject.image, from: pool),
      subject.labels.map { window.cut($0) } ?? [Int16](repeating: 0, count: patchExtent.voxels)
    )
  }

  private func corner(in subject: PreparedSubject, _ stream: inout RandomStream) -> VoxelIndex {
    let wantsForeground = stream.uniform() < foregroundFraction
    if wantsForeground && !subject.foreground.isEmpty, let labels = subject.labels {
      return corner(around: center(in: subject, labels, &stream), in: subject.extent)
    }
    func uniform(_ size: Int, _ volume: Int) -> Int {
      let start = stream.integer(below: max(volume - size, 0) + 1)
      return PatchWindow.clamped(start, size: size, volume: volume)
    }
    let (patch, volume) = (patchExtent, subject.extent)
    return VoxelIndex(
      z: uniform(patch.depth, volume.depth), y: uniform(patch.height, volume.height),
      x: uniform(patch.width, volume.width))
  }

  /// A random voxel of a random class, each as likely as the others.
  private func center(
    in subject: PreparedSubject, _ labels: LabelGrid, _ stream: inout RandomStream
  ) -> VoxelIndex {
    let kind = subject.foreground[stream.integer(below: subject.foreground.count)]
    let index = kind.voxel(stream.integer(below: kind.voxels), in: labels)
    let (width, height) = (subject.extent.width, subject.extent.height)
    return VoxelIndex(
      z: index / (width * height), y: index / width % height, x: index % width)
  }

  private func corner(around center: VoxelIndex, in volume: Extent) -> VoxelIndex {
    func start(_ center: Int, _ size: Int, _ volume: Int) -> Int {
      PatchWindow.clamped(center - size / 2, size: size, volume: volume)
    }
    return VoxelIndex(
      z: start(center.z, patchExtent.depth, volume.depth),
      y: start(center.y, patchExtent.height, volume.height),
      x: start(center.x, patchExtent.width, volume.width))
  }
}
