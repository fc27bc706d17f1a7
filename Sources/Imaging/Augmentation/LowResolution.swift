import Tensors

/// Shows random channels as a scanner of lower resolution would: fewer voxels, then as many again.
package struct LowResolution: Hashable, Sendable {
  package var probability: Double
  /// The share of the voxels along each axis that is left.
  package var zoom: ClosedRange<Double>
  /// How likely each channel is changed where a patch is.
  package var channelProbability: Double

  package init(
    probability: Double = 0.25, zoom: ClosedRange<Double> = 0.5...1,
    channelProbability: Double = 0.5
  ) {
    self.probability = probability
    self.zoom = zoom
    self.channelProbability = channelProbability
  }

  func apply(to image: inout VoxelGrid, _ stream: inout RandomStream, pool: MemoryPool) {
    guard stream.uniform() < probability else { return }
    let extent = image.shape.extent
    for channel in 0..<image.shape.channels {
      let isChanged = stream.uniform() < channelProbability
      let zoom = stream.uniform(in: zoom)
      guard isChanged else { continue }
      Self.coarsen(image.mutableChannel(channel), extent, zoom: zoom, pool: pool)
    }
  }

  /// Takes the nearest voxels on a grid of max(1, round(zoom n)) an axis and interpolates linearly
  /// between them, outer faces aligned both times.
  package static func coarsen(
    _ values: UnsafeMutableBufferPointer<Float>, _ extent: Extent, zoom: Double, pool: MemoryPool
  ) {
    let small = extent.map { max(1, Int((Double($0) * zoom).rounded())) }
    guard small != extent, let target = values.baseAddress else { return }
    let coarse = pool.take(small.voxels)
    decimate(target, extent, into: coarse.pointer, small)
    let (xs, ys, zs) = (
      LinearPositions(from: small.width, to: extent.width),
      LinearPositions(from: small.height, to: extent.height),
      LinearPositions(from: small.depth, to: extent.depth)
    )
    let row = pool.take(extent.width)
    for z in 0..<extent.depth {
      for y in 0..<extent.height {
        interpolate(coarse.pointer, small, y: ys[y], z: zs[z], into: row.pointer)
        let line = target + (z * extent.height + y) * extent.width
        xs.forEach { x, position in
          let (lower, upper) = (row.pointer[position.lower], row.pointer[position.upper])
          line[x] = lower + (upper - lower) * position.fraction
        }
      }
    }
  }

  private static func decimate(
    _ values: UnsafePointer<Float>, _ extent: Extent, into coarse: UnsafeMutablePointer<Float>,
    _ small: Extent
  ) {
    func nearest(_ size: Int, _ count: Int) -> [Int] {
      (0..<count).map { min(Int((Double($0) + 0.5) * Double(size) / Double(count)), size - 1) }
    }
    let (xs, ys, zs) = (
      nearest(extent.width, small.width), nearest(extent.height, small.height),
      nearest(extent.depth, small.depth)
    )
    var to = coarse
    for z in zs {
      for y in ys {
        let from = values + (z * extent.height + y) * extent.width
        for (index, x) in xs.enumerated() { to[index] = from[x] }
        to += small.width
      }
    }
  }

  /// A row of the coarse grid between its rows and slices.
  private static func interpolate(
    _ coarse: UnsafePointer<Float>, _ small: Extent, y: LinearPosition, z: LinearPosition,
    into row: UnsafeMutablePointer<Float>
  ) {
    func line(_ z: Int, _ y: Int) -> UnsafePointer<Float> {
      coarse + (z * small.height + y) * small.width
    }
    let (a, b) = (line(z.lower, y.lower), line(z.lower, y.upper))
    let (c, d) = (line(z.upper, y.lower), line(z.upper, y.upper))
    for x in 0..<small.width {
      let lower = a[x] + (b[x] - a[x]) * y.fraction
      let upper = c[x] + (d[x] - c[x]) * y.fraction
      row[x] = lower + (upper - lower) * z.fraction
    }
  }
}
