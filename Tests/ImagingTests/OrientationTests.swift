import Imaging
import Tensors
import Testing

@Suite struct OrientationTests {
  private struct Case: Decodable {
    var affine: [[Double]]
    var orientation: String
    var results: [Result]
    struct Result: Decodable {
      var orientation: String
      var shape: [Int]
      var affine: [[Double]]
      var values: [Int16]
    }
  }

  private let extent = Extent(xyz: [5, 4, 3])

  @Test func `all 48 axis orders turn as nibabel turns them, and back`() throws {
    let cases = try ImagingFixtures.json([Case].self, "orientations.json")
    #expect(Set(cases.map(\.orientation)).count == 48)
    let stored = (0..<60).map { Int16($0) }
    for test in cases {
      let geometry = Geometry(extent: extent, affine: Affine(rows: test.affine))
      #expect(AxisMapping.orientation(of: geometry.affine) == test.orientation)
      for result in test.results {
        let axes = try AxisMapping(from: geometry.affine, to: result.orientation)
        let turned = axes.reoriented(geometry)
        #expect(turned.extent.xyz == result.shape)
        #expect(largestDifference(turned.affine, result.affine) < 1e-5)
        let box = VoxelBox(lower: [0, 0, 0], extent: turned.extent)
        let values = gather(stored, axes, box)
        #expect(values == result.values)
        #expect(scatter(values, axes, box) == stored)
        #expect(largestDifference(axes.inverse.reoriented(turned).affine, test.affine) < 1e-5)
      }
    }
  }

  @Test func `a box turns with its grid`() throws {
    let geometry = Geometry(
      extent: extent, affine: Affine(rows: [[0, 0, -1, 0], [2, 0, 0, 0], [0, -3, 0, 0]]))
    let axes = try AxisMapping(from: geometry.affine, to: "RAS")
    let box = VoxelBox(lower: [1, 0, 2], extent: Extent(xyz: [3, 2, 1]))
    let turned = axes.reoriented(box, in: extent)
    #expect(turned == VoxelBox(lower: [0, 1, 2], extent: Extent(xyz: [1, 3, 2])))
    let inside = (0..<60).map { index -> Int16 in
      let voxel = [index % 5, index / 5 % 4, index / 20]
      return zip(voxel, zip(box.lower, box.extent.xyz)).allSatisfy {
        $0 >= $1.0 && $0 < $1.0 + $1.1
      }
        ? 1 : 0
    }
    #expect(gather(inside, axes, turned) == Array(repeating: 1, count: 6))
  }

  @Test(arguments: ["RA", "RAX", "RLS", "ras", "RASS", ""])
  func `a wrong orientation is named`(name: String) {
    let text = message { _ = try AxisMapping(from: Affine(spacing: [1, 1, 1]), to: name) }
    #expect(text.hasPrefix("configuration: orientation \"\(name)\""))
  }

  private func gather(_ stored: [Int16], _ axes: AxisMapping, _ box: VoxelBox) -> [Int16] {
    var values = [Int16](repeating: -1, count: box.extent.voxels)
    values.withUnsafeMutableBufferPointer { values in
      stored.withUnsafeBufferPointer { axes.gather(box, from: $0, extent, into: values) }
    }
    return values
  }

  private func scatter(_ values: [Int16], _ axes: AxisMapping, _ box: VoxelBox) -> [Int16] {
    var stored = [Int16](repeating: -1, count: extent.voxels)
    stored.withUnsafeMutableBufferPointer { stored in
      values.withUnsafeBufferPointer { axes.scatter($0, box, into: stored, extent) }
    }
    return stored
  }
}
