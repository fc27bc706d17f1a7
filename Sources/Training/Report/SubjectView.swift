import Imaging
import Tensors

/// A subject's first channel in the directions of the body, to be cut into slices for looking at.
struct SubjectView {
  private let axes: AxisMapping
  private let stored: Geometry
  private let image: [Float]
  private let window: GrayWindow
  private let extent: Extent
  private let spacing: [Double]
  /// Pixels of the longest side of a picture.
  private let pixels: Double

  /// The view of an image on the subject's own grid.
  ///
  /// - Parameter pixels: those of the longest side of a picture.
  /// - Throws: nothing for a grid that was read from a file.
  init(_ image: Volume, pixels: Double = 480) throws(ImagingError) {
    self.pixels = pixels
    stored = image.geometry
    axes = try AxisMapping(from: stored.affine, to: "RAS")
    let turned = axes.reoriented(stored)
    (extent, spacing) = (turned.extent, turned.spacing)
    self.image = axes.reoriented(image.grid.channel(0), stored.extent)
    window = GrayWindow(of: self.image)
  }

  /// Values on the subject's own grid, in the directions of the body.
  func turned<Value>(_ values: [Value]) -> [Value] {
    values.withUnsafeBufferPointer { axes.reoriented($0, stored.extent) }
  }

  /// The voxel through which slices show most of what is not background, x, y, z; the middle where
  /// there is nothing else.
  func center(of labels: [Int16]) -> [Int] {
    var counts = extent.xyz.map { [Int](repeating: 0, count: $0) }
    var index = 0
    for z in 0..<extent.depth {
      for y in 0..<extent.height {
        for x in 0..<extent.width {
          if labels[index] > 0 {
            counts[0][x] += 1
            counts[1][y] += 1
            counts[2][z] += 1
          }
          index += 1
        }
      }
    }
    return counts.map { count in
      let most = count.max() ?? 0
      return most == 0 ? count.count / 2 : count.firstIndex(of: most) ?? 0
    }
  }

  /// The slice through a voxel along one plane, as large as pictures are.
  func slice(_ plane: Slice.Plane, through voxel: [Int]) -> Slice {
    let longest = zip(extent.xyz, spacing).map { Double($0) * $1 }.max() ?? 1
    return Slice(
      plane, through: voxel, of: extent, spacing: spacing, scale: pixels / longest)
  }

  /// The image in gray.
  func picture(_ slice: Slice) -> Picture { Picture(slice, of: image, window: window) }
}
