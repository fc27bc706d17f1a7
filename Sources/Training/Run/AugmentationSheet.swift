import Imaging
import Tensors

/// A picture of patches before and after augmentation: a row each, the middle slices from above,
/// from the front and from the side, first as cut and then as trained on, labels outlined.
struct AugmentationSheet {
  private static let gap = 4
  private let extent: Extent
  /// Pixels of a voxel.
  private let zoom: Int
  private(set) var picture: Picture

  /// A sheet with room for `rows` patches of `extent`.
  init(rows: Int, extent: Extent) {
    self.extent = extent
    zoom = max(1, 128 / max(extent.width, extent.height, extent.depth))
    let width = 2 * (2 * extent.width + extent.height) * zoom + 7 * Self.gap
    let height = rows * (max(extent.height, extent.depth) * zoom + Self.gap) + Self.gap
    picture = Picture(width: width, height: height, gray: 32)
  }

  /// Draws a patch as it was cut and as it is after augmentation.
  mutating func draw(row: Int, plain: Patch, augmented: Patch) {
    let y = Self.gap + row * (max(extent.height, extent.depth) * zoom + Self.gap)
    var x = Self.gap
    let window = GrayWindow(of: plain.image.channel(0))
    for patch in [plain, augmented] {
      for plane in Slice.Plane.allCases {
        let slice = slice(of: patch, plane, window: window)
        picture.draw(slice, x: x, y: y)
        x += slice.width + Self.gap
      }
    }
  }

  private func slice(of patch: Patch, _ plane: Slice.Plane, window: GrayWindow) -> Picture {
    let middle = extent.xyz.map { $0 / 2 }
    let slice = Slice(plane, through: middle, of: extent, scale: Double(zoom))
    var picture = Picture(slice, of: patch.image.channel(0), window: window)
    picture.outline(slice.pixels(of: patch.labels), thickness: max(1, zoom / 2)) {
      Palette.picture(Int($0) - 1)
    }
    return picture
  }
}
