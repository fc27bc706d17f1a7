import Imaging
import Tensors
import Testing

@Suite struct NormalizationTests {
  private struct Reference: Decodable {
    var values: [Float]
    var labels: [Int16]
    var zscore: [Double]
    var zscoreNonzero: [Double]
    var statistics: IntensityStatistics
    var ct: [Double]
    var window: [Double]
  }

  private func apply(_ rule: Normalization, to values: [Float]) throws -> [Float] {
    var grid = VoxelGrid(
      Shape(channels: 1, extent: Extent(xyz: [values.count, 1, 1])), values: values)
    try rule.apply(to: grid.mutableValues())
    return ImagingTests.values(of: grid)
  }

  @Test func `every rule is NumPy's`() throws {
    let reference = try ImagingFixtures.json(Reference.self, "normalization.json")
    let rules: [(Normalization, [Double])] = [
      (.zscore, reference.zscore), (.zscoreNonzero, reference.zscoreNonzero),
      (.ct(reference.statistics), reference.ct),
      (.window(lower: -100, upper: 240), reference.window),
      (.none, reference.values.map(Double.init)),
    ]
    for (rule, expected) in rules {
      #expect(largestDifference(try apply(rule, to: reference.values), expected) < 1e-6, "\(rule)")
    }
  }

  @Test func `statistics over several subjects are NumPy's over all of them`() throws {
    let reference = try ImagingFixtures.json(Reference.self, "normalization.json")
    try ImagingFixtures.withFolder { folder in
      let geometry = Geometry(extent: Extent(xyz: [10, 5, 4]), affine: Affine(spacing: [1, 1, 1]))
      let shape = Shape(channels: 1, extent: geometry.extent)
      let subjects = try (0..<2).map { half in
        let range = half * 200..<(half + 1) * 200
        let subject = Subject(
          identifier: "\(half)", images: ["\(folder)/i\(half).nii"], label: "\(folder)/l\(half).nii"
        )
        try NIfTI.write(
          Volume(grid: VoxelGrid(shape, values: reference.values[range]), geometry: geometry),
          to: subject.images[0])
        try NIfTI.write(
          LabelMap(labels: Array(reference.labels[range]), geometry: geometry),
          to: "\(folder)/l\(half).nii")
        return subject
      }
      let dataset = Dataset(
        name: "halves", channelNames: ["CT"],
        labels: [
          DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 1, name: "organ"),
        ],
        subjects: subjects)
      let measured = try IntensityStatistics.measure(subjects, of: dataset)[0]
      #expect(abs(measured.lower - reference.statistics.lower) < 1e-9)
      #expect(abs(measured.upper - reference.statistics.upper) < 1e-9)
      #expect(abs(measured.mean - reference.statistics.mean) < 1e-9)
      #expect(abs(measured.deviation - reference.statistics.deviation) < 1e-9)
    }
  }

  @Test func `ct rules are completed per channel`() {
    let statistics = [3.0, 5].map {
      IntensityStatistics(lower: 0, upper: 1, mean: $0, deviation: 1)
    }
    let shared = PreparationSettings(normalization: [.ct(nil)])
    #expect(shared.needsStatistics)
    let completed = shared.completed(with: statistics)
    #expect(completed.normalization == [.ct(statistics[0]), .ct(statistics[1])])
    let mixed = PreparationSettings(normalization: [.zscore, .ct(nil)])
    #expect(mixed.completed(with: statistics).normalization == [.zscore, .ct(statistics[1])])
    #expect(!completed.needsStatistics)
  }

  @Test func `a constant or empty channel stays finite`() throws {
    #expect(try apply(.zscore, to: [3, 3, 3]) == [0, 0, 0])
    #expect(try apply(.zscoreNonzero, to: [0, 0]) == [0, 0])
  }

  @Test func `rules that cannot be applied say why`() {
    let window = message { _ = try apply(.window(lower: 2, upper: 2), to: [1]) }
    #expect(window.hasPrefix("configuration: normalization window needs lower < upper"))
    #expect(message { _ = try apply(.ct(nil), to: [1]) }.hasPrefix("configuration"))
  }
}
