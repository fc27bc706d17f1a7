import Files
import Imaging
import Tensors

/// A subject's probabilities on its own grid, `[O][z][y][x]`: in memory, or where there is not enough
/// in a file.
package final class ProbabilityVolume: @unchecked Sendable {
  private let memory: ScratchMemory
  private let shape: Shape
  private let geometry: Geometry

  /// Probabilities that are 0 everywhere, but 1 in an output 0 that is background.
  ///
  /// - Parameter folder: where to keep them for the time being; nil for memory.
  /// - Throws: `inputOutput` where there is no room.
  package init(
    outputs: Int, hasBackground: Bool, geometry: Geometry, in folder: String?
  ) throws(TrainingError) {
    shape = Shape(channels: outputs, extent: geometry.extent)
    self.geometry = geometry
    do throws(FileError) {
      memory = try ScratchMemory(bytes: Self.bytes(outputs: outputs, geometry), in: folder)
    } catch {
      throw .inputOutput(
        "no room for probabilities of \(shape.count >> 18) MiB"
          + (folder.map { " in \($0)" } ?? " in memory") + ": \(error.reason)")
    }
    if hasBackground { fill(geometry.extent.voxels) }
  }

  package static func bytes(outputs: Int, _ geometry: Geometry) -> Int {
    4 * outputs * geometry.extent.voxels
  }

  private var values: UnsafeMutableBufferPointer<Float> { memory.bytes.bindMemory(to: Float.self) }

  /// Makes the first values 1, a piece at a time.
  private func fill(_ count: Int) {
    for start in stride(from: 0, to: count, by: 1 << 24) {
      values[start..<min(count, start + (1 << 24))].update(repeating: 1)
      letGo()
    }
  }

  /// Puts an output's values in planes of the crop box where they belong; threads may do so at once.
  func place(_ own: [Float], output: Int, planes: Range<Int>, _ path: PreparationPath) {
    let voxels = shape.extent.voxels
    path.place(
      own, planes: planes,
      into: UnsafeMutableBufferPointer(rebasing: values[output * voxels..<(output + 1) * voxels]))
  }

  /// Lets the file hold what came so far.
  func letGo() { memory.letGo() }

  /// Writes them as a 4-D NIfTI file.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func write(to path: String) throws(ImagingError) {
    let buffer = FloatBuffer(readOnly: UnsafeBufferPointer(values), owner: memory)
    try NIfTI.write(
      Volume(grid: VoxelGrid(shape, in: buffer), geometry: geometry), to: path, wroteSome: letGo)
  }
}
