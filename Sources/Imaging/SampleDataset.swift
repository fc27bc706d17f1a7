import Foundation
import Tensors

/// A small real data set for a first run: deep brain structures of one T1 image.
///
/// Colin27 (`ch2`) with AAL labels, both in Debian's `mricron-data`. The left half trains, the right
/// half is held out; they share no voxel.
package enum SampleDataset {
  /// A structure and its AAL values (left, right), checked against `aal.nii.txt`.
  private static let structures: [(name: String, values: [Int16])] = [
    ("hippocampus", [37, 38]), ("caudate", [71, 72]), ("putamen", [73, 74]),
    ("pallidum", [75, 76]), ("thalamus", [77, 78]),
  ]

  /// Air around the structures in mm (the templates' voxels are 1 mm).
  private static let margin = 12

  /// Crop sizes are multiples of this, so that whole patches of 8 and 16 fit.
  private static let multiple = 16

  /// Writes images, labels, `dataset.json`, `splits_final.json` and `lkdist.yaml` into a folder.
  ///
  /// Files that exist with the same contents stay; others are never replaced.
  ///
  /// - Parameter templates: the folder of `ch2.nii.gz` and `aal.nii.gz`.
  /// - Throws: `missing` without the templates, `inputOutput` where a file exists with other
  ///   contents or cannot be written.
  package static func write(
    to directory: String, templates: String = "/usr/share/mricron/templates"
  ) throws(ImagingError) {
    let (image, labels) = try read(templates)
    let output = try StagedFolder(directory)
    for (name, isLeft) in [("colin_left", true), ("colin_right", false)] {
      let box = try half(of: labels, isLeft: isLeft)
      let geometry = image.geometry.cropped(to: box)
      let file = "\(name).nii.gz"
      try NIfTI.write(
        crop(image, to: box, geometry), to: try output.path("imagesTr/\(file)"))
      try NIfTI.write(
        crop(labels, to: box, geometry), to: try output.path("labelsTr/\(file)"))
    }
    try output.write(SampleText.description(structures.map(\.name)), to: "dataset.json")
    try output.write(SampleText.splits, to: "splits_final.json")
    try output.write(SampleText.configuration, to: "lkdist.yaml")
    try output.publish()
  }

  /// The T1 image and the label map of the structures, on one grid in RAS order.
  private static func read(
    _ templates: String
  ) throws(ImagingError) -> (image: Volume, labels: LabelMap) {
    let paths = ["ch2.nii.gz", "aal.nii.gz"].map { "\(templates)/\($0)" }
    for path in paths where !FileManager.default.fileExists(atPath: path) {
      throw .missing(
        "\(path): no such file; the sample data comes from Debian's mricron-data: "
          + "apt-get install mricron-data")
    }
    let image = try NIfTI.readImage(paths[0])
    var labels = try NIfTI.readLabels(paths[1])
    guard image.geometry.matches(labels.geometry),
      AxisMapping.orientation(of: image.geometry.affine) == "RAS"
    else {
      throw .badData("\(paths[0]) and \(paths[1]) are not the RAS templates of mricron-data")
    }
    var classes: [Int16: Int16] = [:]
    for (index, structure) in structures.enumerated() {
      for value in structure.values { classes[value] = Int16(index + 1) }
    }
    labels.labels = labels.labels.map { $0 == 0 ? 0 : classes[$0] ?? 0 }
    return (image, labels)
  }

  /// The box of one hemisphere's structures with a margin; the middle plane is its inner side.
  private static func half(of map: LabelMap, isLeft: Bool) throws(ImagingError) -> VoxelBox {
    let middle = -map.geometry.affine.origin.x / map.geometry.affine.axes[0].x
    let left = 0..<Int(middle.rounded(.up))
    let right = Int(middle.rounded(.down)) + 1..<map.geometry.extent.width
    let side = isLeft ? left : right
    guard let bounds = bounds(of: map, within: side) else {
      throw .badData("the AAL template holds none of the structures")
    }
    var lower: [Int] = []
    var sizes: [Int] = []
    for axis in 0..<3 {
      let size = bounds.upper[axis] - bounds.lower[axis] + 1
      let wanted = size + (axis == 0 ? 1 : 2) * margin
      sizes.append((wanted + multiple - 1) / multiple * multiple)
      lower.append(bounds.lower[axis] - (sizes[axis] - size) / 2)
    }
    lower[0] = isLeft ? side.upperBound - sizes[0] : side.lowerBound
    let whole = map.geometry.extent.xyz
    guard (0..<3).allSatisfy({ lower[$0] >= 0 && lower[$0] + sizes[$0] <= whole[$0] }) else {
      throw .badData("the AAL template of \(map.geometry.extent) voxels has no room for the crops")
    }
    return VoxelBox(lower: lower, extent: Extent(xyz: sizes))
  }

  /// The smallest and largest x, y, z of the labels whose x is in `side`.
  private static func bounds(
    of map: LabelMap, within side: Range<Int>
  ) -> (lower: [Int], upper: [Int])? {
    var (lower, upper) = ([Int.max, Int.max, Int.max], [-1, -1, -1])
    for (index, label) in map.labels.enumerated() where label != 0 {
      let voxel = map.geometry.extent.voxel(at: index)
      guard side.contains(voxel[0]) else { continue }
      lower = zip(lower, voxel).map { min($0, $1) }
      upper = zip(upper, voxel).map { max($0, $1) }
    }
    return upper[0] < 0 ? nil : (lower, upper)
  }

  private static func crop(_ volume: Volume, to box: VoxelBox, _ geometry: Geometry) -> Volume {
    var grid = VoxelGrid(zeros: Shape(channels: 1, extent: box.extent))
    AxisMapping.identity.gather(
      box, from: volume.grid.channel(0), volume.geometry.extent, into: grid.mutableValues())
    return Volume(grid: grid, geometry: geometry)
  }

  private static func crop(_ map: LabelMap, to box: VoxelBox, _ geometry: Geometry) -> LabelMap {
    var labels = [Int16](repeating: 0, count: box.extent.voxels)
    labels.withUnsafeMutableBufferPointer { labels in
      map.labels.withUnsafeBufferPointer {
        AxisMapping.identity.gather(box, from: $0, map.geometry.extent, into: labels)
      }
    }
    return LabelMap(labels: labels, geometry: geometry)
  }
}
