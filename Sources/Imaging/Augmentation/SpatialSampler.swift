import Tensors

/// Reads a patch from a whole volume through a `SpatialMap`: images by linear interpolation,
/// labels by the arg-max of their linearly interpolated one-hot maps.
///
/// Outside the volume images are 0 and labels background. This is the hot loop of augmentation.
package struct SpatialSampler {
  private let image: VoxelGrid
  private let labels: LabelGrid?
  private let volume: Extent

  /// A sampler of an image and its label map; without one labels are 0.
  package init(_ image: VoxelGrid, labels: LabelGrid?) {
    self.image = image
    self.labels = labels
    volume = image.shape.extent
  }

  /// The patch's image and labels; its memory comes from `pool`.
  package func sample(
    _ map: SpatialMap, from pool: MemoryPool
  ) -> (image: VoxelGrid, labels: [Int16]) {
    let extent = map.extent
    var patch = VoxelGrid(
      uninitialized: Shape(channels: image.shape.channels, extent: extent), from: pool)
    let buffer = pool.take(CoordinateRow.floats(for: extent.width))
    let row = CoordinateRow(width: extent.width, in: buffer)
    let values = patch.mutableValues()
    let rows = RowReader(image: image.values, voxels: volume, patchVoxels: extent.voxels)
    let targets = [Int16](unsafeUninitializedCapacity: extent.voxels) { targets, count in
      count = extent.voxels
      for line in 0..<extent.depth * extent.height {
        map.coordinates(y: line % extent.height, z: line / extent.height, into: row)
        let start = line * extent.width
        guard let image = values.baseAddress, let label = targets.baseAddress else { return }
        read(rows, row, width: extent.width, into: image + start, label + start)
      }
    }
    withExtendedLifetime((image, labels, buffer)) {}
    return (patch, targets)
  }

  private func read(
    _ reader: RowReader, _ row: CoordinateRow, width: Int, into image: UnsafeMutablePointer<Float>,
    _ targets: UnsafeMutablePointer<Int16>
  ) {
    if labels == nil { targets.update(repeating: 0, count: width) }
    reader.read(row, width: width, labels: labels?.values.baseAddress, into: image, targets)
  }
}

/// The loop over a row, four voxels at a time.
private struct RowReader {
  private let image: UnsafePointer<Float>
  private let channels: Int
  /// Floats from one channel to the next, in the volume and in the patch.
  private let strides: (volume: Int, patch: Int)
  private let volume: Extent

  init(image: UnsafeBufferPointer<Float>, voxels: Extent, patchVoxels: Int) {
    self.image = image.baseAddress.unsafelyUnwrapped
    channels = image.count / voxels.voxels
    strides = (voxels.voxels, patchVoxels)
    volume = voxels
  }

  func read(
    _ row: CoordinateRow, width: Int, labels: UnsafePointer<Int16>?,
    into patch: UnsafeMutablePointer<Float>, _ targets: UnsafeMutablePointer<Int16>
  ) {
    var x = 0
    while x < width {
      let block = VoxelBlock(row, at: x, in: volume)
      if block.isInside && x + 4 <= width {
        for channel in 0..<channels {
          let values = block.interpolate(image + channel * strides.volume)
          UnsafeMutableRawPointer(patch + channel * strides.patch + x)
            .storeBytes(of: values, as: SIMD4<Float>.self)
        }
        if let labels { block.vote(labels, into: targets + x) }
      } else if block.isOutside(volume) {
        let count = min(4, width - x)
        for channel in 0..<channels {
          (patch + channel * strides.patch + x).update(repeating: 0, count: count)
        }
        (targets + x).update(repeating: 0, count: count)
      } else {
        for lane in 0..<min(4, width - x) {
          readAtBorder(block, lane, labels: labels, into: patch + x + lane, targets + x + lane)
        }
      }
      x += 4
    }
  }

  /// One voxel some of whose neighbors may be outside.
  private func readAtBorder(
    _ block: VoxelBlock, _ lane: Int, labels: UnsafePointer<Int16>?,
    into patch: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Int16>
  ) {
    let corners = BorderCorners(block, lane, in: volume)
    for channel in 0..<channels {
      patch[channel * strides.patch] = corners.interpolate(image + channel * strides.volume)
    }
    if let labels { target.pointee = corners.vote(labels) }
  }
}

/// Four neighboring voxels of a patch: where they lie in the volume.
private struct VoxelBlock {
  /// The voxels of the volume just below each place.
  let x: SIMD4<Int32>
  let y: SIMD4<Int32>
  let z: SIMD4<Int32>
  /// How far beyond them the places are, in 0...1.
  let fractions: (x: SIMD4<Float>, y: SIMD4<Float>, z: SIMD4<Float>)
  /// Whether all eight voxels around each place are in the volume.
  let isInside: Bool
  private let offsets: SIMD4<Int32>
  private let rowStride: Int
  private let sliceStride: Int

  @inline(__always)
  init(_ row: CoordinateRow, at index: Int, in volume: Extent) {
    let (x, fx) = Self.floor(row.x + index)
    let (y, fy) = Self.floor(row.y + index)
    let (z, fz) = Self.floor(row.z + index)
    (self.x, self.y, self.z) = (x, y, z)
    fractions = (fx, fy, fz)
    let (width, height) = (Int32(volume.width), Int32(volume.height))
    // A lane is outside where one of these is negative: all signs are looked at together.
    let slack = (width - 2 &- x) | (height - 2 &- y) | (Int32(volume.depth) - 2 &- z)
    let signs = x | y | z | slack
    isInside = (signs[0] | signs[1] | signs[2] | signs[3]) >= 0
    offsets = (z &* height &+ y) &* width &+ x
    (rowStride, sliceStride) = (volume.width, volume.width * volume.height)
  }

  /// Whether all four places are so far out on one side that no voxel is near.
  func isOutside(_ volume: Extent) -> Bool {
    [(x, volume.width), (y, volume.height), (z, volume.depth)].contains { place, size in
      place.max() < -1 || place.min() >= size
    }
  }

  /// The integers below four numbers, and what is left of them. Rounding a half less may give the
  /// integer one below a whole number, with 1 left: the same place.
  @inline(__always)
  private static func floor(_ place: UnsafePointer<Float>) -> (SIMD4<Int32>, SIMD4<Float>) {
    let place = UnsafeRawPointer(place).loadUnaligned(as: SIMD4<Float>.self)
    let rounded = (place - 0.5) + 12_582_912
    return (
      unsafeBitCast(rounded, to: SIMD4<Int32>.self) &- 0x4B40_0000,
      place - (rounded - 12_582_912)
    )
  }

  /// One channel's values: along z for each voxel, then along x and y for all four together.
  @inline(__always)
  func interpolate(_ channel: UnsafePointer<Float>) -> SIMD4<Float> {
    let a = betweenSlices(channel, 0)
    let b = betweenSlices(channel, 1)
    let c = betweenSlices(channel, 2)
    let d = betweenSlices(channel, 3)
    let (ab, cd) = (SIMD8(lowHalf: a, highHalf: b), SIMD8(lowHalf: c, highHalf: d))
    // Each run holds the values at (y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1).
    let lower = SIMD8(lowHalf: ab.evenHalf, highHalf: cd.evenHalf)
    let upper = SIMD8(lowHalf: ab.oddHalf, highHalf: cd.oddHalf)
    let nearRow = lower.evenHalf + (upper.evenHalf - lower.evenHalf) * fractions.x
    let farRow = lower.oddHalf + (upper.oddHalf - lower.oddHalf) * fractions.x
    return nearRow + (farRow - nearRow) * fractions.y
  }

  /// The 2 x 2 values around one voxel, interpolated along z.
  @inline(__always)
  private func betweenSlices(_ channel: UnsafePointer<Float>, _ lane: Int) -> SIMD4<Float> {
    let near = channel + Int(offsets[lane])
    let far = near + sliceStride
    let a = SIMD4(lowHalf: Self.pair(near), highHalf: Self.pair(near + rowStride))
    let b = SIMD4(lowHalf: Self.pair(far), highHalf: Self.pair(far + rowStride))
    return a + (b - a) * fractions.z[lane]
  }

  @inline(__always)
  private static func pair(_ values: UnsafePointer<Float>) -> SIMD2<Float> {
    UnsafeRawPointer(values).loadUnaligned(as: SIMD2<Float>.self)
  }

  /// The labels that weigh most at the four voxels.
  @inline(__always)
  func vote(_ labels: UnsafePointer<Int16>, into targets: UnsafeMutablePointer<Int16>) {
    for lane in 0..<4 {
      let near = labels + Int(offsets[lane])
      let far = near + sliceStride
      let a = Self.twoLabels(near)
      let isUniform =
        a == Self.twoLabels(near + rowStride) && a == Self.twoLabels(far)
        && a == Self.twoLabels(far + rowStride) && a >> 16 == a & 0xFFFF
      targets[lane] = isUniform ? near[0] : vote(near, far, lane)
    }
  }

  @inline(__always)
  private static func twoLabels(_ labels: UnsafePointer<Int16>) -> UInt32 {
    UnsafeRawPointer(labels).loadUnaligned(as: UInt32.self)
  }

  @inline(never)
  private func vote(
    _ near: UnsafePointer<Int16>, _ far: UnsafePointer<Int16>, _ lane: Int
  ) -> Int16 {
    let corners = SIMD8<Int16>(
      near[0], near[1], near[rowStride], near[rowStride + 1], far[0], far[1], far[rowStride],
      far[rowStride + 1])
    return LabelVote.winner(SIMD8<Int32>(truncatingIfNeeded: corners), weights(lane))
  }

  /// The shares of the eight voxels around one place: x fastest, then y, then z.
  @inline(__always)
  func weights(_ lane: Int) -> SIMD8<Float> {
    let (x, y, z) = (fractions.x[lane], fractions.y[lane], fractions.z[lane])
    let row = SIMD2(1 - x, x)
    let slice = SIMD4(lowHalf: row * (1 - y), highHalf: row * y)
    return SIMD8(lowHalf: slice * (1 - z), highHalf: slice * z)
  }
}

/// The eight voxels around a place near or beyond the faces of the volume.
private struct BorderCorners {
  private let weights: SIMD8<Float>
  /// Where each lies in a channel; -1 outside.
  private var offsets = SIMD8<Int>(repeating: -1)

  init(_ block: VoxelBlock, _ lane: Int, in volume: Extent) {
    weights = block.weights(lane)
    let (x, y, z) = (Int(block.x[lane]), Int(block.y[lane]), Int(block.z[lane]))
    for corner in 0..<8 {
      let at = (x + corner & 1, y + corner >> 1 & 1, z + corner >> 2)
      if (0..<volume.width).contains(at.0), (0..<volume.height).contains(at.1),
        (0..<volume.depth).contains(at.2)
      {
        offsets[corner] = (at.2 * volume.height + at.1) * volume.width + at.0
      }
    }
  }

  func interpolate(_ channel: UnsafePointer<Float>) -> Float {
    var sum: Float = 0
    for corner in 0..<8 where offsets[corner] >= 0 {
      sum += weights[corner] * channel[offsets[corner]]
    }
    return sum
  }

  func vote(_ labels: UnsafePointer<Int16>) -> Int16 {
    var corners = SIMD8<Int32>.zero
    for corner in 0..<8 where offsets[corner] >= 0 {
      corners[corner] = Int32(labels[offsets[corner]])
    }
    return LabelVote.winner(corners, weights)
  }
}
