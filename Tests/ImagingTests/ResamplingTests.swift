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
}
