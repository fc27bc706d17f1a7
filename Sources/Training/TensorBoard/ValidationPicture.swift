import Imaging
import Tensors

/// The axial slice of a subject that shows most of its reference: the reference outlined on the left,
/// the prediction on the right.
struct ValidationPicture {
  private static let gap = 4
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
    let shape = Shape(channels: 1, extent: slab(z).extent)
    let grid = VoxelGrid(shape, values: cut(image.grid.channel(0), z))
    picture = Self.sheet(
      [labels(reference, z), labels(prediction, z)].map { Self.patch(grid, $0) })
  }

  private static func patch(_ grid: VoxelGrid, _ labels: [Int16]) -> Patch {
    Patch(
      image: grid, labels: labels, subject: "", epoch: 0, position: 0,
      corner: VoxelIndex(z: 0, y: 0, x: 0))
  }

  private static func sheet(_ patches: [Patch]) -> Picture {
    let slices = patches.map { PatchSlice($0, .xy, window: PatchSlice.window(of: $0)) }
    let (width, height) = (slices[0].width, slices[0].height)
    let zoom = max(1, (Self.width + width - 1) / width)
    var picture = Picture(
      width: slices.count * (width * zoom + gap) - gap, height: height * zoom, gray: 32)
    for (index, slice) in slices.enumerated() {
      for y in 0..<height * zoom {
        for x in 0..<width * zoom {
          picture[index * (width * zoom + gap) + x, y] = slice.color(x / zoom, y / zoom)
        }
      }
    }
    return picture
  }
}
