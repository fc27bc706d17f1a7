import Imaging
import Tensors

/// A subject's first channel, to be cut into slices for looking at along the directions of the body;
/// all values stay on the subject's own grid.
struct SubjectView {
  private let axes: AxisMapping
  private let stored: Extent
  private let image: VoxelGrid
  private let window: GrayWindow
  /// Sizes and spacing along the directions of the body.
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
    self.image = image.grid
    stored = image.geometry.extent
    axes = try AxisMapping(from: image.geometry.affine, to: "RAS")
    let turned = axes.reoriented(image.geometry)
    (extent, spacing) = (turned.extent, turned.spacing)
    window = GrayWindow(of: image.grid.channel(0))
  }

  /// The voxel through which slices show most of what is not background, x, y, z along the directions
  /// of the body; the middle where there is nothing else.
  func center(of labels: [Int16]) -> [Int] {
    var counts = stored.xyz.map { [Int](repeating: 0, count: $0) }
    var index = 0
    for z in 0..<stored.depth {
      for y in 0..<stored.height {
        for x in 0..<stored.width {
          if labels[index] > 0 {
            counts[0][x] += 1
            counts[1][y] += 1
            counts[2][z] += 1
          }
          index += 1
        }
      }
    }
    return zip(axes.source, axes.isFlipped).map { axis, isFlipped in
      let count = isFlipped ? counts[axis].reversed() : counts[axis]
      let most = count.max() ?? 0
      return most == 0 ? count.count / 2 : count.firstIndex(of: most) ?? 0
    }
  }

  /// The slice through a voxel along one plane, as large as pictures are, of values on the subject's
  /// own grid.
  func slice(_ plane: Slice.Plane, through voxel: [Int]) -> Slice {
    let longest = zip(extent.xyz, spacing).map { Double($0) * $1 }.max() ?? 1
    let slice = Slice(
      plane, through: voxel, of: extent, spacing: spacing, scale: pixels / longest)
    return slice.taking(axes.storedIndices(of: slice.voxels, in: stored))
  }

  /// The image in gray.
  func picture(_ slice: Slice) -> Picture {
    Picture(slice, of: image.channel(0), window: window)
  }
}
