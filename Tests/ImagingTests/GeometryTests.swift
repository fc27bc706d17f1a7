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

  @Test func `grids match within a hundredth of a voxel`() {
    let geometry = Geometry(extent: Extent(xyz: [3, 3, 3]), affine: Affine(spacing: [1, 1, 2]))
    var moved = geometry
    moved.affine.origin.x += 0.009
    #expect(geometry.matches(moved))
    moved.affine.origin.x += 0.002
    #expect(!geometry.matches(moved))
  }

  @Test func `grids whose far ends drift apart do not match`() {
    let extent = Extent(depth: 512, height: 8, width: 8)
    func geometry(_ step: Double) -> Geometry {
      Geometry(extent: extent, affine: Affine(spacing: [1, 1, step]))
    }
    #expect(geometry(1).matches(geometry(1 + 1e-6)))
    #expect(!geometry(1).matches(geometry(1.0005)))
  }
}
