import Foundation
import Imaging
import Tensors
import Testing

@Suite struct NIfTIReadingTests {
  private static let types = [
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64",
  ]

  @Test(arguments: types, ["little", "big"])
  func `every type reads in both byte orders`(type: String, order: String) throws {
    for ending in ["nii", "nii.gz"] {
      let name = "types/\(type)_\(order).\(ending)"
      let volume = try NIfTI.readImage(ImagingFixtures.path(name))
      let expected = (0..<60).map { index in
        switch type.first {
        case "f": Float(index) * 0.25 - 7
        case "i": Float(index - 30)
        default: Float(index)
        }
      }
      #expect(values(of: volume.grid) == expected)
      #expect(volume.geometry.extent == Extent(depth: 3, height: 4, width: 5))
      #expect(volume.geometry.spacing == [1, 1, 2])
    }
  }

  private struct Form: Decodable {
    var shape: [Int]
    var affine: [[Double]]
    var orientation: String
  }

  @Test func `affine and orientation are those of nibabel`() throws {
    for (name, form) in try ImagingFixtures.json([String: Form].self, "forms.json") {
      let volume = try NIfTI.readImage(ImagingFixtures.path("forms/\(name)"))
      #expect(volume.geometry.extent.xyz == Array(form.shape.prefix(3)), "\(name)")
      #expect(volume.grid.shape.channels == form.shape.dropFirst(3).reduce(1, *), "\(name)")
      #expect(largestDifference(volume.geometry.affine, form.affine) < 1e-5, "\(name)")
      #expect(AxisMapping.orientation(of: volume.geometry.affine) == form.orientation, "\(name)")
      #expect(values(of: volume.grid) == (0..<volume.grid.shape.count).map(Float.init))
    }
  }

  @Test func `a file without a form has its spacing only`() throws {
    let geometry = try NIfTI.readGeometry(ImagingFixtures.path("none.nii")).geometry
    #expect(geometry.affine == Affine(spacing: [2, 3, 4]))
  }

  @Test func `slope and intercept scale, zero and NaN slopes do not`() throws {
    let stored = (0..<60).map(Float.init)
    let scaled = try NIfTI.readImage(ImagingFixtures.path("slope.nii"))
    #expect(values(of: scaled.grid) == stored.map { $0 * 0.5 - 3 })
    for name in ["slope_zero.nii", "slope_nan.nii"] {
      #expect(values(of: try NIfTI.readImage(ImagingFixtures.path(name)).grid) == stored)
    }
  }

  @Test func `labels are integers within a thousandth`() throws {
    let labels = try NIfTI.readLabels(ImagingFixtures.path("types/int16_big.nii.gz"))
    #expect(labels.labels == (0..<60).map { Int16($0 - 30) })
    try ImagingFixtures.withFolder { folder in
      let path = "\(folder)/labels.nii"
      let geometry = Geometry(extent: Extent(xyz: [2, 2, 1]), affine: Affine(spacing: [1, 1, 1]))
      let shape = Shape(channels: 1, extent: geometry.extent)
      try NIfTI.write(
        Volume(grid: VoxelGrid(shape, values: [0, 1.0009, 2, 0.9995]), geometry: geometry), to: path
      )
      #expect(try NIfTI.readLabels(path).labels == [0, 1, 2, 1])
      try NIfTI.write(
        Volume(grid: VoxelGrid(shape, values: [0, 1, 2.25, 1]), geometry: geometry), to: path)
      let text = message { _ = try NIfTI.readLabels(path) }
      #expect(text.hasPrefix("badData: \(path): voxel [0, 1, 0] (x, y, z) holds 2.25"))
    }
  }

  @Test func `a name with spaces and other letters reads`() throws {
    try ImagingFixtures.withFolder { folder in
      let path = "\(folder)/größe 1 脳.nii.gz"
      try FileManager.default.copyItem(
        atPath: ImagingFixtures.path("forms/both.nii.gz"), toPath: path)
      #expect(try NIfTI.readImage(path).grid.shape.count == 60)
    }
  }
}
