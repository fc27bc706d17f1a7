import Imaging
import Tensors
import Testing

@Suite struct ConnectedComponentsTests {
  @Test(arguments: [ConnectedComponents.Connectivity.faces, .corners])
  func `components equal those of a flood fill`(
    _ connectivity: ConnectedComponents.Connectivity
  ) {
    var stream = RandomStream(seed: 9, purpose: "components")
    for size in [[1, 1, 1], [9, 1, 1], [1, 7, 1], [2, 1, 8], [7, 6, 5], [17, 13, 11]] {
      for share in [0, 0.05, 0.2, 0.4, 0.8, 1] {
        let extent = Extent(xyz: size)
        let inside = (0..<extent.voxels).map { _ in UInt8(stream.uniform() < share ? 1 : 0) }
        let mask = Mask(inside: inside, extent: extent)
        let components = ConnectedComponents(of: mask, connectivity: connectivity)
        let expected = flood(mask, connectivity)
        #expect(components.labels == expected, "\(size), \(share)")
        let counts = components.sizes.indices.map { index in
          expected.count { $0 == Int32(index + 1) }
        }
        #expect(components.sizes == counts && counts.reduce(0, +) == mask.count)
      }
    }
  }

  @Test func `corners that touch are one component of 26 neighbors and two of 6`() {
    let extent = Extent(depth: 2, height: 2, width: 2)
    let mask = Mask(inside: [1, 0, 0, 0, 0, 0, 0, 1], extent: extent)
    #expect(ConnectedComponents(of: mask, connectivity: .corners).sizes == [2])
    #expect(ConnectedComponents(of: mask, connectivity: .faces).sizes == [1, 1])
  }

  @Test func `the end of a row is no neighbor of the next row's beginning`() {
    let extent = Extent(depth: 1, height: 2, width: 4)
    let mask = Mask(inside: [0, 0, 0, 1, 1, 0, 0, 0], extent: extent)
    #expect(
      ConnectedComponents(of: mask, connectivity: .corners).labels == [0, 0, 0, 1, 2, 0, 0, 0])
  }

  /// Components numbered in the order of their first voxels, voxel after voxel.
  private func flood(_ mask: Mask, _ connectivity: ConnectedComponents.Connectivity) -> [Int32] {
    let extent = mask.extent
    var labels = [Int32](repeating: 0, count: extent.voxels)
    var found: Int32 = 0
    for seed in labels.indices where mask.inside[seed] != 0 && labels[seed] == 0 {
      found += 1
      labels[seed] = found
      var open = [seed]
      while let voxel = open.popLast() {
        for next in neighbors(of: voxel, extent, connectivity)
        where mask.inside[next] != 0 && labels[next] == 0 {
          labels[next] = found
          open.append(next)
        }
      }
    }
    return labels
  }

  private func neighbors(
    of voxel: Int, _ extent: Extent, _ connectivity: ConnectedComponents.Connectivity
  ) -> [Int] {
    let (x, y) = (voxel % extent.width, voxel / extent.width % extent.height)
    let z = voxel / (extent.width * extent.height)
    var found: [Int] = []
    for c in -1...1 {
      for b in -1...1 {
        for a in -1...1 where connectivity == .corners || abs(a) + abs(b) + abs(c) == 1 {
          guard (0..<extent.width).contains(x + a), (0..<extent.height).contains(y + b),
            (0..<extent.depth).contains(z + c)
          else { continue }
          found.append(((z + c) * extent.height + y + b) * extent.width + x + a)
        }
      }
    }
    return found
  }
}
