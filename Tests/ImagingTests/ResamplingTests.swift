import Foundation
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

  @Test func `a brain of BraTS size takes about a second`() {
    let extent = Extent(xyz: [240, 240, 155])
    let values = [Float](unsafeUninitializedCapacity: extent.voxels) { values, count in
      for index in 0..<extent.voxels { values[index] = Float(index % 977) }
      count = extent.voxels
    }
    let labels = (0..<extent.voxels).map { Int16($0 / 40 % 3) }
    let clock = ContinuousClock()
    let image = clock.measure {
      _ = Resampling.linear(
        values, from: extent, to: Extent(xyz: [160, 160, 103]), smoothing: true)
    }
    let back = clock.measure {
      _ = Resampling.linear(
        values, from: extent, to: Extent(xyz: [280, 260, 170]), smoothing: false)
    }
    let map = clock.measure {
      _ = Resampling.labels(labels, from: extent, to: Extent(xyz: [160, 160, 103]))
    }
    print("resampled 240x240x155: smaller \(image), larger \(back), labels \(map)")
    #expect(image < .seconds(8) && back < .seconds(8) && map < .seconds(8))
  }
}
