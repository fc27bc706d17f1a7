import Imaging
import Tensors
import Testing

/// Transforms against SciPy and NumPy (scripts/make-augmentation-fixtures.py).
@Suite struct AugmentationFixtureTests {
  private struct Fixture: Decodable {
    var spatial: [Spatial]
    var intensities: [Intensities]
  }

  private struct Spatial: Decodable {
    var size: [Int]
    var corner: [Int]
    var extent: [Int]
    var angles: [Double]
    var scale: Double
    var spacing: [Double]
    var image: [Float]
    var labels: [Int16]
    var steps: [Double]?
    var controls: [Float]?
    var expectedImage: [Double]
    var expectedLabels: [Int16]

    var field: ElasticField? {
      guard let steps, let controls else { return nil }
      let vectors = stride(from: 0, to: controls.count, by: 3).map {
        SIMD4(controls[$0], controls[$0 + 1], controls[$0 + 2], 0)
      }
      return ElasticField(controls: vectors, extent: Extent(xyz: extent), steps: SIMD3(steps))
    }

    var map: SpatialMap {
      let window = PatchWindow(
        corner: VoxelIndex(z: corner[2], y: corner[1], x: corner[0]), extent: Extent(xyz: extent),
        volume: Extent(xyz: size))
      return SpatialMap(
        window, angles: SIMD3(angles), scale: scale, elastic: field, spacing: SIMD3(spacing))
    }
  }

  private struct Intensities: Decodable {
    var size: [Int]
    var image: [Float]
    var sigma: [Double]
    var blurred: [Double]
    var zoom: Double
    var coarse: [Double]
    var contrast: [Double]
    var gamma: [Double]
    var invertedGamma: [Double]
    var coefficients: [Double]
    var biased: [Double]

    /// The image after `body`.
    func changed(_ body: (UnsafeMutableBufferPointer<Float>, Extent) -> Void) -> [Float] {
      var values = image
      values.withUnsafeMutableBufferPointer { body($0, Extent(xyz: size)) }
      return values
    }
  }

  private let pool = MemoryPool()

  private func fixture() throws -> Fixture {
    try ImagingFixtures.json(Fixture.self, "augmentation.json")
  }

  @Test func `rotation, scaling and deformation are SciPy's map_coordinates`() throws {
    for test in try fixture().spatial {
      let grid = VoxelGrid(
        Shape(channels: 2, extent: Extent(xyz: test.size)), values: test.image)
      let sampler = SpatialSampler(grid, labels: LabelGrid(test.labels))
      let patch = sampler.sample(test.map, from: pool)
      #expect(largestDifference(values(of: patch.image), test.expectedImage) < 2e-5)
      #expect(patch.labels == test.expectedLabels)
    }
  }

  @Test func `blur is SciPy's gaussian_filter`() throws {
    for test in try fixture().intensities {
      let blurred = test.changed { Blur.smooth($0, $1, sigma: test.sigma, pool: pool) }
      #expect(largestDifference(blurred, test.blurred) < 2e-6)
    }
  }

  @Test func `low resolution is SciPy's zoom down and up`() throws {
    for test in try fixture().intensities {
      let coarse = test.changed { LowResolution.coarsen($0, $1, zoom: test.zoom, pool: pool) }
      #expect(largestDifference(coarse, test.coarse) < 2e-6)
    }
  }

  @Test func `contrast, gamma and bias field are NumPy's formulas`() throws {
    for test in try fixture().intensities {
      let contrast = test.changed { values, _ in Contrast.stretch(values, by: 1.2) }
      #expect(largestDifference(contrast, test.contrast) < 2e-6)
      let gamma = test.changed { values, _ in Gamma.raise(values, to: 0.7) }
      #expect(largestDifference(gamma, test.gamma) < 5e-6)
      let inverted = test.changed { values, _ in
        Gamma.raise(values, to: 1.5, isInverted: true)
      }
      #expect(largestDifference(inverted, test.invertedGamma) < 5e-6)
      let biased = test.changed { CubicPolynomial(test.coefficients).multiply($0, $1) }
      #expect(largestDifference(biased, test.biased) < 1e-5)
    }
  }
}
