import Imaging
import Tensors
import Testing

@Suite struct SlidingWindowTests {
  private struct Fixture: Decodable {
    struct Axis: Decodable {
      let volume: Int
      let patch: Int
      let overlap: Double
      let starts: [Int]
    }
    struct Weights: Decodable {
      let patch: [Int]
      let weights: [Float]
    }
    let axes: [Axis]
    let weights: [Weights]
  }

  @Test func `window starts are MONAI's along every axis`() throws {
    for axis in try fixture(Fixture.self, "metrics/windows").axes {
      let extent = Extent(depth: 1, height: 1, width: axis.volume)
      let patch = Extent(depth: 1, height: 1, width: axis.patch)
      let windows = SlidingWindow.windows(extent: extent, patch: patch, overlap: axis.overlap)
      #expect(windows.map(\.x) == axis.starts, "\(axis)")
    }
  }

  @Test func `windows combine the starts of all axes and cover the volume`() {
    let (extent, patch) = (Extent(xyz: [35, 51, 20]), Extent(xyz: [16, 16, 32]))
    let windows = SlidingWindow.windows(extent: extent, patch: patch, overlap: 0.5)
    #expect(windows.count == 4 * 6 * 1)
    #expect(Set(windows).count == windows.count)
    #expect(windows.allSatisfy { $0.z == -6 })
    var covered = [Bool](repeating: false, count: extent.voxels)
    for corner in windows {
      PatchWindow(corner: corner, extent: patch, volume: extent).forEachRow { _, from, count in
        for i in from..<from + count { covered[i] = true }
      }
    }
    #expect(covered.allSatisfy { $0 })
  }

  @Test func `weights are MONAI's importance map`() throws {
    for item in try fixture(Fixture.self, "metrics/windows").weights {
      let weights = SlidingWindow.importance(Extent(xyz: item.patch))
      #expect(weights.count == item.weights.count)
      #expect(zip(weights, item.weights).allSatisfy { abs($0 - $1) < 1e-6 }, "\(item.patch)")
    }
  }

  @Test func `windows of a mirrored volume are the mirror images of its windows`() {
    let (extent, patch) = (Extent(xyz: [35, 51, 20]), Extent(xyz: [16, 16, 32]))
    let plain = SlidingWindow.windows(extent: extent, patch: patch, overlap: 0.4)
    let mirrored = SlidingWindow.windows(
      extent: extent, patch: patch, overlap: 0.4, mirroredAlong: [.x, .z])
    let expected = plain.map { corner -> VoxelIndex in
      VoxelIndex(z: 20 - 32 - corner.z, y: corner.y, x: 35 - 16 - corner.x)
    }
    #expect(Set(mirrored) == Set(expected))
    let places: [[Int]] = mirrored.map { corner -> [Int] in [corner.z, corner.y, corner.x] }
    let sorted: [[Int]] = places.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(places == sorted)
  }
}
