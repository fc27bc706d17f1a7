import Tensors

/// A slice through a volume whose axes point right, anterior and superior, as pixels that stand
/// for one voxel each: x goes right and y down, up is anterior or superior.
package struct Slice {
  package enum Plane: CaseIterable, Sendable { case axial, coronal, sagittal }

  package let width: Int
  package let height: Int
  /// For every pixel, row by row from the top, its voxel's index into `[z][y][x]`.
  package private(set) var voxels: [Int]

  /// The slice through a voxel along one plane.
  ///
  /// - Parameters:
  ///   - voxel: x, y, z, of which one counts.
  ///   - spacing: the size of a voxel along x, y, z.
  ///   - scale: pixels of a unit of that size.
  package init(
    _ plane: Plane, through voxel: [Int], of extent: Extent, spacing: [Double] = [1, 1, 1],
    scale: Double
  ) {
    let (right, up) =
      switch plane {
      case .axial: (0, 1)
      case .coronal: (0, 2)
      case .sagittal: (1, 2)
      }
    func pixels(along axis: Int) -> [Int] {
      let size = extent.xyz[axis]
      let step = spacing[axis] * scale
      let count = max(1, Int((Double(size) * step).rounded()))
      return (0..<count).map { min(size - 1, Int((Double($0) + 0.5) / step)) }
    }
    let (columns, rows) = (pixels(along: right), Array(pixels(along: up).reversed()))
    let strides = [1, extent.width, extent.width * extent.height]
    let through = 3 - right - up
    let first = voxel[through] * strides[through]
    (width, height) = (columns.count, rows.count)
    voxels = rows.flatMap { row in
      columns.map { first + row * strides[up] + $0 * strides[right] }
    }
  }

  /// The same pixels of a grid on which their voxels have other indices.
  func taking(_ voxels: [Int]) -> Slice {
    var slice = self
    slice.voxels = voxels
    return slice
  }

  /// The pixels' values of a volume.
  func pixels<Values: RandomAccessCollection>(of values: Values) -> [Values.Element]
  where Values.Index == Int {
    voxels.map { values[$0] }
  }
}

/// The intensities that are black and white.
struct GrayWindow {
  let black: Float
  let white: Float

  /// The 1st and 99th percentiles of about a hundred thousand of `values`; 0 and 1 of none.
  init(of values: some RandomAccessCollection<Float>) {
    guard !values.isEmpty else {
      (black, white) = (0, 1)
      return
    }
    let every = max(1, values.count / 100_000)
    let sorted = stride(from: 0, to: values.count, by: every).map {
      values[values.index(values.startIndex, offsetBy: $0)]
    }.sorted()
    black = sorted[sorted.count / 100]
    white = sorted[sorted.count - 1 - sorted.count / 100]
  }

  /// Where an intensity lies between black and white, 0 to 1.
  func share(_ value: Float) -> Float {
    min(max((value - black) / max(white - black, .leastNormalMagnitude), 0), 1)
  }

  /// The gray of an intensity.
  func gray(_ value: Float) -> SIMD3<UInt8> { SIMD3(repeating: UInt8(share(value) * 255)) }
}
