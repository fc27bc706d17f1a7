import Files
import Imaging
import Tensors

/// Channels on a subject's own grid, `[C][z][y][x]`, such as probabilities: in memory, or where there is
/// not enough in a file.
package final class OwnGridVolume: @unchecked Sendable {
  private let memory: ScratchMemory
  private let shape: Shape
  private let geometry: Geometry

  /// Values that are 0 everywhere.
  ///
  /// - Parameter folder: where to keep them for the time being; nil for memory.
  /// - Throws: `inputOutput` where there is no room.
  package init(
    channels: Int, geometry: Geometry, in folder: String?
  ) throws(TrainingError) {
    shape = Shape(channels: channels, extent: geometry.extent)
    self.geometry = geometry
    do throws(FileError) {
      memory = try ScratchMemory(bytes: Self.bytes(channels: channels, geometry), in: folder)
    } catch {
      throw .inputOutput(
        "no room for \(channels == 1 ? "a map" : "\(channels) maps") of \(shape.count >> 18) MiB"
          + (folder.map { " in \($0)" } ?? " in memory") + ": \(error.reason)")
    }
  }

  package static func bytes(channels: Int, _ geometry: Geometry) -> Int {
    4 * channels * geometry.extent.voxels
  }

  package var channels: Int { shape.channels }

  private var values: UnsafeMutableBufferPointer<Float> { memory.bytes.bindMemory(to: Float.self) }

  private func range(_ channel: Int) -> Range<Int> {
    channel * geometry.extent.voxels..<(channel + 1) * geometry.extent.voxels
  }

  /// Makes a channel 1 everywhere, a piece at a time.
  package func fill(_ channel: Int) {
    let range = range(channel)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 24) {
      values[start..<min(range.upperBound, start + (1 << 24))].update(repeating: 1)
      letGo()
    }
  }

  /// Puts a channel's values in planes of the crop box where they belong; threads may do so at once.
  func place(_ own: [Float], channel: Int, planes: Range<Int>, _ path: PreparationPath) {
    path.place(
      own, planes: planes, into: UnsafeMutableBufferPointer(rebasing: values[range(channel)]))
  }

  /// Lets the file hold what came so far.
  func letGo() { memory.letGo() }

  /// One channel, as it is now.
  package func volume(_ channel: Int) -> Volume {
    volume(
      Shape(channels: 1, extent: shape.extent),
      UnsafeBufferPointer(rebasing: values[range(channel)]))
  }

  private func volume(_ shape: Shape, _ values: UnsafeBufferPointer<Float>) -> Volume {
    let buffer = FloatBuffer(readOnly: values, owner: memory)
    return Volume(grid: VoxelGrid(shape, in: buffer), geometry: geometry)
  }

  /// Writes all channels as a NIfTI file, 4-D for more than one.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func write(to path: String) throws(ImagingError) {
    try NIfTI.write(volume(shape, UnsafeBufferPointer(values)), to: path, wroteSome: letGo)
  }

  /// Writes one channel as a NIfTI file.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func write(_ channel: Int, to path: String) throws(ImagingError) {
    try NIfTI.write(volume(channel), to: path, wroteSome: letGo)
  }
}
