import Imaging
import Tensors
import Testing

@Suite struct ResamplingTests {
  private struct Case: Decodable {
    var shape: [Int]
    var target: [Int]
    var values: [Float]
    var smoothed: [Double]
    var linear: [Double]
    var labels: [Int16]
    var resampledLabels: [Int16]
  }

  @Test func `smoothing and interpolation are SciPy's`() throws {
    for test in try ImagingFixtures.json([Case].self, "resampling.json") {
      let (from, to) = (Extent(xyz: test.shape), Extent(xyz: test.target))
      let smoothed = Resampling.linear(test.values, from: from, to: to, smoothing: true)
      #expect(largestDifference(smoothed, test.smoothed) < 2e-6)
      let linear = Resampling.linear(test.values, from: from, to: to, smoothing: false)
      #expect(largestDifference(linear, test.linear) < 2e-6)
      #expect(Resampling.labels(test.labels, from: from, to: to) == test.resampledLabels)
    }
  }

  @Test func `the new size is rounded and at least 1`() {
    let extent = Extent(xyz: [10, 5, 3])
    #expect(Resampling.extent(extent, spacing: [1, 1, 1], target: [2, 2, 9]).xyz == [5, 3, 1])
    #expect(
      Resampling.extent(extent, spacing: [0.7, 3, 5], target: [1, 1, 1]).xyz == [7, 15, 15])
  }

  @Test func `a ramp of BraTS size stays a ramp`() {
    let (from, to) = (Extent(xyz: [240, 240, 155]), Extent(xyz: [160, 200, 103]))
    let values = (0..<from.voxels).map { Float($0 % 240 + $0 / 240 % 240) }
    let result = Resampling.linear(values, from: from, to: to, smoothing: true)
    #expect(result.count == to.voxels)
    for (x, y, z) in [(4, 5, 6), (80, 100, 50), (155, 194, 97)] {
      let expected = (Float(x) + 0.5) * 1.5 - 0.5 + (Float(y) + 0.5) * 1.2 - 0.5
      #expect(abs(result[(z * 200 + y) * 160 + x] - expected) < 1e-3)
    }
  }

  @Test(arguments: [[7, 9, 11], [5, 4, 24], [6, 5, 13], [3, 9, 5]])
  func `planes resampled by themselves are those of the whole volume, to the bit`(target: [Int]) {
    let (extent, target) = (Extent(xyz: [6, 5, 13]), Extent(xyz: target))
    let values: [Float] = (0..<extent.voxels).map { voxel -> Float in
      Float((voxel * 7919) % 101) / 7
    }
    let whole = Resampling.linear(values, from: extent, to: target, smoothing: false)
    let path = PreparationPath(
      stored: Geometry(extent: target, affine: Affine(spacing: [1, 1, 1])), axes: .identity,
      crop: VoxelBox(lower: [0, 0, 0], extent: target),
      prepared: Geometry(extent: extent, affine: Affine(spacing: [1, 1, 1])))
    let (plane, own) = (extent.height * extent.width, target.height * target.width)
    let runs: [Range<Int>] = [0..<1, 1..<3, 2..<target.depth, 0..<target.depth]
    for wanted in runs {
      let needed = path.preparedPlanes(for: wanted)
      let known = Array(values[(needed.lowerBound * plane)..<(needed.upperBound * plane)])
      let part = path.onCrop(known, of: needed, planes: wanted)
      let expected = Array(whole[(wanted.lowerBound * own)..<(wanted.upperBound * own)])
      #expect(part == expected)
    }
    for end in 0...extent.depth {
      let count = path.cropPlanes(before: end)
      if count > 0 {
        let needed = path.preparedPlanes(for: 0..<count)
        #expect(needed.upperBound <= end)
      }
      if count < target.depth {
        let next = path.preparedPlanes(for: count..<(count + 1))
        #expect(next.upperBound > end)
      }
    }
  }
}
