/// Planar values on a voxel grid, `[C][D][H][W]`: images and logits.
///
/// A value with shared storage: writing copies first if another grid shares it.
package struct VoxelGrid: Sendable {
  package let shape: Shape
  private var buffer: FloatBuffer

  /// A grid of zeros.
  package init(zeros shape: Shape) {
    self.shape = shape
    buffer = FloatBuffer(zeros: shape.count)
  }

  /// A grid with undefined contents whose memory comes from `pool`.
  package init(uninitialized shape: Shape, from pool: MemoryPool) {
    self.shape = shape
    buffer = pool.take(shape.count)
  }

  /// A grid of the given values in `[C][D][H][W]` order; their number must fit the shape.
  package init(_ shape: Shape, values: some Collection<Float>) {
    precondition(values.count == shape.count, "\(values.count) values for \(shape)")
    self.init(zeros: shape)
    _ = UnsafeMutableBufferPointer(start: buffer.pointer, count: shape.count)
      .update(fromContentsOf: values)
  }

  /// A grid of the floats of `buffer`, as many as the shape has, which may be read-only.
  package init(_ shape: Shape, in buffer: FloatBuffer) {
    precondition(buffer.count == shape.count, "\(buffer.count) values for \(shape)")
    self.shape = shape
    self.buffer = buffer
  }

  /// All values for reading; valid while the grid lives, so never take them of a temporary.
  package var values: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: buffer.pointer, count: shape.count)
  }

  /// The values of one channel for reading; valid as long as `values`.
  package func channel(_ index: Int) -> UnsafeBufferPointer<Float> {
    let voxels = shape.extent.voxels
    return UnsafeBufferPointer(rebasing: values[index * voxels..<(index + 1) * voxels])
  }

  /// All values for writing, after a copy if the storage is shared or read-only.
  package mutating func mutableValues() -> UnsafeMutableBufferPointer<Float> {
    if buffer.isReadOnly || !isKnownUniquelyReferenced(&buffer) {
      let copy = FloatBuffer(zeros: shape.count)
      copy.pointer.update(from: buffer.pointer, count: shape.count)
      buffer = copy
    }
    return UnsafeMutableBufferPointer(start: buffer.pointer, count: shape.count)
  }

  /// The values of one channel for writing, after a copy if the storage is shared.
  package mutating func mutableChannel(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    let voxels = shape.extent.voxels
    return UnsafeMutableBufferPointer(
      rebasing: mutableValues()[index * voxels..<(index + 1) * voxels])
  }

  /// The value at a channel and voxel.
  package subscript(channel: Int, z: Int, y: Int, x: Int) -> Float {
    let extent = shape.extent
    return values[((channel * extent.depth + z) * extent.height + y) * extent.width + x]
  }
}
