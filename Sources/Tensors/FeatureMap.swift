/// A feature map blocked by 16 channels, `[C/16][D][H][W][16]`: one vector per voxel and block.
///
/// A value with shared storage: writing through `withMutableBlocks` copies first if another map
/// shares it. A map may be a run of channel blocks of a larger one (see `channels(_:)`).
package struct FeatureMap: Sendable {
  /// Channels in one block, the lanes of a vector.
  package static let lanes = 16

  package let shape: Shape
  private var buffer: FloatBuffer
  private let offset: Int
  private let pool: MemoryPool

  /// A map with undefined contents; `shape.channels` must be a multiple of 16.
  package init(uninitialized shape: Shape, from pool: MemoryPool) {
    precondition(
      shape.channels % Self.lanes == 0, "\(shape.channels) channels are not a multiple of 16")
    self.shape = shape
    self.pool = pool
    buffer = pool.take(shape.count)
    offset = 0
  }

  /// A map of zeros.
  package init(zeros shape: Shape, from pool: MemoryPool) {
    self.init(uninitialized: shape, from: pool)
    buffer.pointer.update(repeating: 0, count: shape.count)
  }

  private init(shape: Shape, sharing buffer: FloatBuffer, offset: Int, pool: MemoryPool) {
    self.shape = shape
    self.buffer = buffer
    self.offset = offset
    self.pool = pool
  }

  /// The number of channel blocks.
  package var blocks: Int { shape.channels / Self.lanes }

  /// The floats in one channel block.
  package var blockStride: Int { shape.extent.voxels * Self.lanes }

  /// The map of a range of channels, sharing this map's storage; bounds are multiples of 16.
  package func channels(_ range: Range<Int>) -> FeatureMap {
    precondition(
      range.lowerBound % Self.lanes == 0 && range.upperBound % Self.lanes == 0
        && range.upperBound <= shape.channels,
      "channels \(range) of \(shape) do not fall on blocks of 16")
    return FeatureMap(
      shape: Shape(channels: range.count, extent: shape.extent), sharing: buffer,
      offset: offset + range.lowerBound * shape.extent.voxels, pool: pool)
  }

  /// The map's channels below `channel`, a multiple of 16, and those from it on. Unless the map is shared,
  /// each part's memory is free when that part is gone.
  package consuming func split(at channel: Int) -> (FeatureMap, FeatureMap) {
    var map = consume self
    let extent = map.shape.extent
    let channels = (channel, map.shape.channels - channel)
    guard isKnownUniquelyReferenced(&map.buffer), map.buffer.count == map.shape.count else {
      return (map.channels(0..<channel), map.channels(channel..<map.shape.channels))
    }
    let (low, high) = map.buffer.split(at: channel * extent.voxels)
    func part(_ channels: Int, _ buffer: FloatBuffer) -> FeatureMap {
      FeatureMap(
        shape: Shape(channels: channels, extent: extent), sharing: buffer, offset: 0, pool: map.pool
      )
    }
    return (part(channels.0, low), part(channels.1, high))
  }

  /// The first float of block 0 for reading; valid while the map lives. For Kernels and
  /// benchmarks only.
  package var pointer: UnsafePointer<Float> { UnsafePointer(buffer.pointer + offset) }

  /// The first float of block 0 for writing, after a copy if the storage is shared. For Kernels and
  /// benchmarks only.
  package mutating func mutablePointer() -> UnsafeMutablePointer<Float> {
    if !isKnownUniquelyReferenced(&buffer) {
      let copy = pool.take(shape.count)
      copy.pointer.update(from: pointer, count: shape.count)
      self = FeatureMap(shape: shape, sharing: copy, offset: 0, pool: pool)
    }
    return buffer.pointer + offset
  }

  /// The first float of block 0 for writing over what is read, or nil if another map shares the storage.
  package mutating func exclusivePointer() -> UnsafeMutablePointer<Float>? {
    isKnownUniquelyReferenced(&buffer) ? buffer.pointer + offset : nil
  }

  /// The value at a channel and voxel, for tests and messages.
  package subscript(channel: Int, z: Int, y: Int, x: Int) -> Float {
    let extent = shape.extent
    let voxel = (z * extent.height + y) * extent.width + x
    let block = channel / Self.lanes
    return pointer[block * blockStride + voxel * Self.lanes + channel % Self.lanes]
  }
}
