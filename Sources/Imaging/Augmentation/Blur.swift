import Tensors

/// Blurs random channels by a Gaussian whose width is drawn for each axis.
package struct Blur: Hashable, Sendable {
  package var probability: Double
  /// Standard deviations in voxels.
  package var sigma: ClosedRange<Double>
  /// How likely each channel is blurred where a patch is.
  package var channelProbability: Double

  package init(
    probability: Double = 0.2, sigma: ClosedRange<Double> = 0.5...1,
    channelProbability: Double = 0.5
  ) {
    self.probability = probability
    self.sigma = sigma
    self.channelProbability = channelProbability
  }

  func apply(to image: inout VoxelGrid, _ stream: inout RandomStream, pool: MemoryPool) {
    guard stream.uniform() < probability else { return }
    let extent = image.shape.extent
    for channel in 0..<image.shape.channels {
      let isBlurred = stream.uniform() < channelProbability
      let sigmas = (0..<3).map { _ in stream.uniform(in: sigma) }
      guard isBlurred else { continue }
      Self.smooth(image.mutableChannel(channel), extent, sigma: sigmas, pool: pool)
    }
  }

  /// Smooths one channel; beyond its faces it goes on as in a mirror, as in SciPy by default.
  ///
  /// - Parameter sigma: voxels along x, y and z.
  package static func smooth(
    _ values: UnsafeMutableBufferPointer<Float>, _ extent: Extent, sigma: [Double],
    pool: MemoryPool
  ) {
    let weights = sigma.map { GaussianKernel.weights(sigma: $0).map(Float.init) }
    let copy = pool.take(extent.voxels)
    let slice = pool.take(extent.height * extent.width)
    let row = pool.take(extent.width + weights[0].count - 1)
    guard let target = values.baseAddress else { return }
    copy.pointer.update(from: target, count: extent.voxels)
    let smoothing = SliceSmoothing(weights: weights, extent: extent)
    for z in 0..<extent.depth {
      smoothing.smooth(
        copy.pointer, z: z, slice: slice.pointer, row: row.pointer,
        into: target + z * extent.height * extent.width)
    }
  }
}

/// The smoothing of one slice at a time, so that what it touches stays in the cache.
private struct SliceSmoothing {
  /// Symmetric weights along x, y and z.
  let weights: [[Float]]
  let extent: Extent

  func smooth(
    _ volume: UnsafePointer<Float>, z: Int, slice: UnsafeMutablePointer<Float>,
    row: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    let (width, height) = (extent.width, extent.height)
    for y in 0..<height {
      Self.sum(weights[2], into: slice + y * width, count: width) { offset in
        volume + (Self.reflected(z + offset, extent.depth) * height + y) * width
      }
    }
    let radius = weights[0].count / 2
    let middle = row + radius
    for y in 0..<height {
      Self.sum(weights[1], into: middle, count: width) { offset in
        UnsafePointer(slice + Self.reflected(y + offset, height) * width)
      }
      for step in 0..<radius {
        middle[-1 - step] = middle[Self.reflected(-1 - step, width)]
        middle[width + step] = middle[Self.reflected(width + step, width)]
      }
      Self.sum(weights[0], into: target + y * width, count: width) { offset in
        UnsafePointer(middle + offset)
      }
    }
  }

  /// The weighted sum of rows; `row` gives the one at an offset from the middle.
  @inline(__always)
  private static func sum(
    _ weights: [Float], into target: UnsafeMutablePointer<Float>, count: Int,
    _ row: (Int) -> UnsafePointer<Float>
  ) {
    let radius = weights.count / 2
    let middle = row(0)
    let weight = weights[radius]
    for index in 0..<count { target[index] = weight * middle[index] }
    for offset in 0..<radius {
      let (before, after) = (row(-1 - offset), row(1 + offset))
      let weight = weights[radius + 1 + offset]
      for index in 0..<count { target[index] += weight * (before[index] + after[index]) }
    }
  }

  /// The index within 0..<count that a mirror at both faces shows at `index`.
  private static func reflected(_ index: Int, _ count: Int) -> Int {
    if (0..<count).contains(index) { return index }
    let turn = index % (2 * count)
    let place = turn < 0 ? turn + 2 * count : turn
    return place < count ? place : 2 * count - 1 - place
  }
}
