import Foundation
import Imaging
import Tensors
import Testing

@Suite struct NIfTIWritingTests {
  private let geometry = Geometry(
    extent: Extent(xyz: [4, 3, 2]),
    affine: Affine(rows: [[0.1, -1.9, 0, 12], [1.5, 0.2, 0.3, -7.5], [0, 0.1, -3, 100.25]]))

  @Test(arguments: ["image.nii", "image.nii.gz"])
  func `an image comes back as it was written`(name: String) throws {
    try ImagingFixtures.withFolder { folder in
      let shape = Shape(channels: 3, extent: geometry.extent)
      let grid = VoxelGrid(shape, values: (0..<shape.count).map { Float($0) * 0.37 - 5 })
      try NIfTI.write(Volume(grid: grid, geometry: geometry), to: "\(folder)/\(name)")
      let back = try NIfTI.readImage("\(folder)/\(name)")
      #expect(values(of: back.grid) == values(of: grid))
      #expect(largestDifference(back.geometry.affine, geometry.affine.rows) < 1e-5)
      let magic = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")).prefix(2)
      #expect((magic == Data([0x1F, 0x8B])) == name.hasSuffix(".gz"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [name])
    }
  }

  @Test func `labels are written as uint8, large ones as int16`() throws {
    try ImagingFixtures.withFolder { folder in
      for (top, bytes) in [(Int16(255), 1), (256, 2), (-1, 2)] {
        let map = LabelMap(
          labels: (0..<24).map { $0 == 23 ? top : Int16($0) }, geometry: geometry)
        let path = "\(folder)/labels.nii"
        try NIfTI.write(map, to: path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 352 + 24 * bytes)
        #expect(try NIfTI.readLabels(path).labels == map.labels)
      }
    }
  }

  @Test func `a grid without a place stays without`() throws {
    try ImagingFixtures.withFolder { folder in
      let volume = try NIfTI.readImage(ImagingFixtures.path("none.nii"))
      #expect(!volume.geometry.isPlaced)
      try NIfTI.write(volume, to: "\(folder)/none.nii")
      #expect(try NIfTI.readGeometry("\(folder)/none.nii").geometry == volume.geometry)
    }
  }

  @Test func `a write that fails leaves nothing behind`() throws {
    try ImagingFixtures.withFolder { folder in
      let map = LabelMap(labels: Array(repeating: 1, count: 24), geometry: geometry)
      let absent = message { try NIfTI.write(map, to: "\(folder)/no/labels.nii.gz") }
      #expect(
        absent.hasPrefix("inputOutput: \(folder)/no/labels.nii.gz cannot be written: No such"))
      let ending = message { try NIfTI.write(map, to: "\(folder)/labels.png") }
      #expect(ending.contains("change the name"))
      try FileManager.default.createDirectory(
        atPath: "\(folder)/taken.nii/inside", withIntermediateDirectories: true)
      let taken = message { try NIfTI.write(map, to: "\(folder)/taken.nii") }
      #expect(taken.hasPrefix("inputOutput: \(folder)/taken.nii cannot be written"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["taken.nii"])
    }
  }

  /// LKDIST_FULL_DIR is a file system with less than 4 MB to spare, such as a small tmpfs.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LKDIST_FULL_DIR"] != nil))
  func `a full disk is an error and keeps the old file`() throws {
    let folder = ProcessInfo.processInfo.environment["LKDIST_FULL_DIR"] ?? "."
    var random = RandomStream(seed: 1, purpose: "noise")
    let shape = Shape(channels: 1, extent: Extent(xyz: [128, 128, 64]))
    let grid = VoxelGrid(shape, values: (0..<shape.count).map { _ in Float(random.normal()) })
    let place = Geometry(extent: shape.extent, affine: Affine(spacing: [1, 1, 1]))
    for name in ["full.nii", "full.nii.gz"] {
      let old = LabelMap(labels: Array(repeating: 1, count: 24), geometry: geometry)
      try NIfTI.write(old, to: "\(folder)/\(name)")
      let text = message {
        try NIfTI.write(Volume(grid: grid, geometry: place), to: "\(folder)/\(name)")
      }
      #expect(text.hasPrefix("inputOutput: \(folder)/\(name) cannot be written: No space left"))
      #expect(try NIfTI.readLabels("\(folder)/\(name)").labels == old.labels)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(left == ["full.nii", "full.nii.gz"])
  }

  /// `scripts/make-imaging-fixtures.py --check DIR` then compares the files by nibabel.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LKDIST_WRITE_DIR"] != nil))
  func `files for nibabel to check`() throws {
    let folder = ProcessInfo.processInfo.environment["LKDIST_WRITE_DIR"] ?? "."
    for name in try FileManager.default.contentsOfDirectory(atPath: ImagingFixtures.path("forms")) {
      let volume = try NIfTI.readImage(ImagingFixtures.path("forms/\(name)"))
      if volume.grid.shape.channels > 1 {
        try NIfTI.write(volume, to: "\(folder)/\(name)")
      } else {
        let labels = values(of: volume.grid).map { Int16($0) }
        try NIfTI.write(
          LabelMap(labels: labels, geometry: volume.geometry), to: "\(folder)/\(name)")
      }
    }
  }
}
