import Imaging
import Tensors

/// The axial slice of a subject that shows most of its reference: the reference outlined on the left,
/// the prediction on the right.
struct ValidationPicture {
  /// The least pixels of a slice's width, which is a multiple of its voxels.
  private static let width = 192

  let picture: Picture

  /// The picture of an image's first channel and label maps on its grid; patients look up, their right
  /// is on the left.
  ///
  /// - Throws: nothing for a grid that was read from a file.
  init(image: Volume, reference: LabelMap, prediction: LabelMap) throws(ImagingError) {
    let stored = image.geometry
    let axes = try AxisMapping(from: stored.affine, to: "RAS")
    let sizes = axes.reoriented(stored).extent
    func slab(_ z: Int) -> VoxelBox {
      VoxelBox(
        lower: [0, 0, z], extent: Extent(depth: 1, height: sizes.height, width: sizes.width))
    }
    func cut<Value>(_ values: UnsafeBufferPointer<Value>, _ z: Int) -> [Value] {
      let box = slab(z)
      return [Value](unsafeUninitializedCapacity: box.extent.voxels) { slice, count in
        axes.gather(box, from: values, stored.extent, into: slice)
        count = box.extent.voxels
      }
    }
    func labels(_ map: LabelMap, _ z: Int) -> [Int16] {
      map.labels.withUnsafeBufferPointer { cut($0, z) }
    }
    let counts = (0..<sizes.depth).map { z in labels(reference, z).count { $0 > 0 } }
    let most = counts.max() ?? 0
    let z = most > 0 ? counts.firstIndex(of: most) ?? 0 : sizes.depth / 2
    let values = cut(image.grid.channel(0), z)
    picture = Picture.row(
      [reference, prediction].map { Self.side(values, labels($0, z), slab(z).extent) }, gap: 4)
  }

  /// The slice in gray with its labels outlined.
  private static func side(_ values: [Float], _ labels: [Int16], _ extent: Extent) -> Picture {
    let zoom = max(1, (width + extent.width - 1) / extent.width)
    let slice = Slice(.axial, through: [0, 0, 0], of: extent, scale: Double(zoom))
    var picture = Picture(slice, of: values, window: GrayWindow(of: values))
    picture.outline(slice.pixels(of: labels), thickness: max(1, zoom / 2)) {
      Palette.picture(Int($0) - 1)
    }
    return picture
  }
}
