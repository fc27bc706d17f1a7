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
    let window = PatchSlice.window(of: plain)
    for patch in [plain, augmented] {
      for plane in PatchSlice.Plane.allCases {
        let slice = PatchSlice(patch, plane, window: window)
        for down in 0..<slice.height * zoom {
          for right in 0..<slice.width * zoom {
            picture[x + right, y + down] = slice.color(right / zoom, down / zoom)
          }
        }
        x += slice.width * zoom + Self.gap
      }
    }
  }
}

/// The middle slice of a patch along one plane; x goes right and y down, up is anterior or superior
/// for a volume in RAS.
struct PatchSlice {
  enum Plane: CaseIterable { case xy, xz, yz }

  let width: Int
  let height: Int
  private let gray: [UInt8]
  private let labels: [Int16]

  /// The intensities of the first channel that are black and white: its 1st and 99th percentiles.
  static func window(of patch: Patch) -> (black: Float, white: Float) {
    let sorted = Array(patch.image.channel(0)).sorted()
    return (sorted[sorted.count / 100], sorted[sorted.count - 1 - sorted.count / 100])
  }

  init(_ patch: Patch, _ plane: Plane, window: (black: Float, white: Float)) {
    let extent = patch.image.shape.extent
    (width, height) =
      switch plane {
      case .xy: (extent.width, extent.height)
      case .xz: (extent.width, extent.depth)
      case .yz: (extent.height, extent.depth)
      }
    let (width, height) = (self.width, self.height)
    let voxels = (0..<width * height).map { pixel in
      let (right, up) = (pixel % width, height - 1 - pixel / width)
      let (z, y, x) =
        switch plane {
        case .xy: (extent.depth / 2, up, right)
        case .xz: (up, extent.height / 2, right)
        case .yz: (up, right, extent.width / 2)
        }
      return (z * extent.height + y) * extent.width + x
    }
    let scale = 255 / max(window.white - window.black, .leastNormalMagnitude)
    let values = patch.image.channel(0)
    gray = voxels.map { UInt8(min(max((values[$0] - window.black) * scale, 0), 255)) }
    labels = voxels.map { patch.labels[$0] }
  }

  /// The color of a pixel: gray, or that of a label at its border.
  func color(_ x: Int, _ y: Int) -> SIMD3<UInt8> {
    let label = labels[y * width + x]
    let neighbors = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)].filter { x, y in
      (0..<width).contains(x) && (0..<height).contains(y)
    }
    let isBorder = neighbors.contains { labels[$0.1 * width + $0.0] != label }
    guard label != 0 && isBorder else { return SIMD3(repeating: gray[y * width + x]) }
    return Self.palette[Int(label.magnitude) % Self.palette.count]
  }

  private static let palette: [SIMD3<UInt8>] = [
    [255, 255, 255], [230, 60, 50], [60, 180, 75], [70, 120, 255], [255, 200, 0], [0, 200, 200],
    [240, 80, 220], [255, 140, 40], [170, 255, 100],
  ]
}
