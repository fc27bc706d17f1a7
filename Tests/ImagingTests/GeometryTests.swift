import Imaging
import Tensors
import Testing

@Suite struct GeometryTests {
  @Test func `resizing keeps the outer faces`() {
    let geometry = Geometry(
      extent: Extent(xyz: [10, 7, 4]),
      affine: Affine(rows: [[1, 0, 0, -5], [0, 2, 0, 3], [0, 0, 3, 1]])
    )
    let resized = geometry.resized(to: Extent(xyz: [5, 7, 8]))
    #expect(resized.spacing == [2, 2, 1.5])
    #expect(resized.affine.position(x: -0.5, y: -0.5, z: -0.5) == SIMD3(-5.5, 2, -0.5))
    #expect(resized.affine.position(x: 4.5, y: 6.5, z: 7.5) == SIMD3(4.5, 16, 11.5))
  }

  @Test func `grids match within a thousandth of a voxel`() {
    let geometry = Geometry(extent: Extent(xyz: [3, 3, 3]), affine: Affine(spacing: [1, 1, 2]))
    var moved = geometry
    moved.affine.origin.x += 0.0009
    #expect(geometry.matches(moved))
    moved.affine.origin.x += 0.0002
    #expect(!geometry.matches(moved))
  }
}
