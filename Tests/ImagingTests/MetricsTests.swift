import Foundation
import Imaging
import Tensors
import Testing

@Suite struct MetricsTests {
  private struct Case: Decodable {
    struct Expected: Decodable {
      let dice: Double
      let hd95: Double
      /// At each of the tolerances.
      let nsd: [Double]
      let volume_difference: Double
      let lesion_dice: Double
      let lesion_f1: Double
    }
    let name: String
    let size: [Int]
    let spacing: [Double]
    let tolerances: [Double]
    let prediction: String
    let reference: String
    let scores: [String: Expected]

    func map(_ digits: String) -> LabelMap {
      LabelMap(
        labels: digits.utf8.map { Int16($0) - 48 },
        geometry: Geometry(extent: Extent(xyz: size), affine: Affine(spacing: spacing)))
    }
  }

  @Test func `all measures equal SciPy's on every fixture`() throws {
    let cases = try fixture([Case].self, "metrics/metrics")
    #expect(cases.count == 18)
    for item in cases {
      let classes = item.scores.keys.sorted().map {
        ScoredClass(key: $0, name: $0, values: [Int16($0) ?? -1])
      }
      for (index, tolerance) in item.tolerances.enumerated() {
        var rule = ScoringRule()
        rule.tolerance = tolerance
        let scores = try Metrics.evaluate(
          prediction: item.map(item.prediction), reference: item.map(item.reference),
          classes: classes, subject: item.name, by: rule)
        for (kind, score) in zip(classes, scores) {
          let expected = try #require(item.scores[kind.key])
          let name = "\(item.name), class \(kind.key)"
          #expect(isNear(score.dice, expected.dice), "\(name)")
          #expect(isNear(score.hd95, expected.hd95), "\(name)")
          #expect(isNear(score.nsd, expected.nsd[index]), "\(name), \(tolerance) mm")
          #expect(isNear(score.volumeDifference, expected.volume_difference), "\(name)")
          #expect(isNear(score.lesionDice, expected.lesion_dice), "\(name)")
          #expect(isNear(score.lesionF1, expected.lesion_f1), "\(name)")
        }
      }
    }
  }

  @Test func `classes may have tolerances of their own, by key or name`() throws {
    let geometry = Geometry(
      extent: Extent(depth: 1, height: 1, width: 8), affine: Affine(spacing: [2, 1, 1]))
    let classes = ["liver", "lung"].enumerated().map {
      ScoredClass(key: "\($0 + 1)", name: $1, values: [Int16($0 + 1)])
    }
    var rule = ScoringRule()
    rule.classTolerances = ["liver": 2, "2": 1.5]
    let scores = try Metrics.evaluate(
      prediction: LabelMap(labels: [0, 1, 0, 0, 0, 2, 0, 0], geometry: geometry),
      reference: LabelMap(labels: [1, 0, 0, 0, 2, 0, 0, 0], geometry: geometry),
      classes: classes, subject: "a", by: rule)
    #expect(scores.map(\.nsd) == [1, 0])
    #expect(rule.text(for: classes).contains("at most 1 mm (liver 2 mm, lung 1.5 mm)"))
  }

  @Test func `BraTS conventions price a missing region alike in every image`() {
    let extent = Extent(depth: 3, height: 3, width: 3)
    let empty = Mask(inside: [UInt8](repeating: 0, count: 27), extent: extent)
    let full = Mask(inside: [UInt8](repeating: 1, count: 27), extent: extent)
    var rule = ScoringRule()
    rule.conventions = .brats
    func score(_ a: Mask, _ b: Mask) -> Score { Metrics.score(a, b, spacing: [1, 1, 1], by: rule) }
    #expect(abs((score(full, empty).hd95 ?? 0) - 373.13) < 0.005)
    #expect(abs((score(empty, full).hd95 ?? 0) - 373.13) < 0.005)
    #expect(score(empty, full).dice == 0 && score(empty, full).nsd == 0)
    #expect(score(empty, full).volumeDifference == -0.027)
    #expect(score(empty, empty).hd95 == 0 && score(empty, empty).dice == 1)
    #expect(score(empty, empty).nsd == 1 && score(empty, empty).lesionF1 == 1)
    #expect(rule.text(for: []).contains("373.13"))
  }

  @Test func `validation leaves lesions out and keeps what costs nothing`() {
    let mask = Mask(inside: [1, 0], extent: Extent(depth: 1, height: 1, width: 2))
    let score = Metrics.score(mask, mask, spacing: [1, 1, 1], by: .validation)
    #expect(score.lesionDice == nil && score.lesionF1 == nil)
    #expect(score.nsd == 1 && score.volumeDifference == 0)
    #expect(!ScoringRule.validation.text(for: []).contains("esion"))
  }

  @Test func `an absent class of a BraTS volume costs 373 mm`() {
    let extent = Extent(depth: 155, height: 240, width: 240)
    let empty = Mask(inside: [UInt8](repeating: 0, count: extent.voxels), extent: extent)
    var voxels = empty.inside
    voxels[1_000_000] = 1
    let score = Metrics.score(
      empty, Mask(inside: voxels, extent: extent), spacing: [1, 1, 1])
    #expect(score.dice == 0)
    #expect(abs((score.hd95 ?? 0) - 373.13) < 0.005)
  }

  @Test func `the distance transform equals a search over all sources`() {
    var stream = RandomStream(seed: 5, purpose: "masks")
    for (size, spacing) in [
      ([7, 5, 3], [1.0, 1, 1]), ([1, 9, 4], [0.5, 2, 3]), ([6, 1, 17], [1.3, 0.7, 0.9]),
      ([33, 2, 5], [0.1, 4, 1]),
    ] {
      for probability in [0.02, 0.3] {
        let extent = Extent(xyz: size)
        let inside = (0..<extent.voxels).map { _ in UInt8(stream.uniform() < probability ? 1 : 0) }
        let mask = Mask(inside: inside, extent: extent)
        let fast = DistanceTransform.squaredDistances(to: mask, spacing: spacing)
        let slow = search(mask, spacing)
        #expect(zip(fast, slow).allSatisfy { $0 == $1 || abs($0 - $1) < 1e-9 }, "\(size)")
      }
    }
  }

  @Test func `label maps on different grids are refused by name`() {
    let extent = Extent(depth: 2, height: 2, width: 2)
    func map(_ spacing: [Double]) -> LabelMap {
      LabelMap(
        labels: [Int16](repeating: 0, count: 8),
        geometry: Geometry(extent: extent, affine: Affine(spacing: spacing)))
    }
    let error = #expect(throws: ImagingError.self) {
      try Metrics.evaluate(
        prediction: map([1, 1, 1]), reference: map([1, 1, 2]), classes: [], subject: "case7")
    }
    #expect(error?.description.contains("case7") == true)
  }

  @Test func `a region is the union of its labels`() {
    let map = LabelMap(
      labels: [0, 1, 2, 4],
      geometry: Geometry(
        extent: Extent(depth: 1, height: 1, width: 4), affine: Affine(spacing: [1, 1, 1])))
    #expect(Mask(of: [1, 4], in: map).inside == [0, 1, 0, 1])
  }

  @Test func `three boxes of a BraTS-sized volume, shifted by 3 voxels, are 3 mm off`() throws {
    let prediction = stackedBoxes(from: 20)
    let reference = stackedBoxes(from: 23)
    let classes = [[1], [1, 2], [1, 2, 3]].map { (values: [Int16]) in
      ScoredClass(key: "\(values)", name: "", values: values)
    }
    let start = clock()
    let scores = try Metrics.evaluate(
      prediction: prediction, reference: reference, classes: classes, subject: "large")
    print("240x240x155, 3 regions: \(Double(clock() - start) / Double(CLOCKS_PER_SEC)) CPU seconds")
    // The shifted face is at least a fourteenth of each surface, more than 5 %.
    #expect(scores.map(\.dice) == [0.985, 0.985, 0.985] && scores.map(\.hd95) == [3, 3, 3])
    #expect(scores.map(\.lesionF1) == [1, 1, 1] && scores.map(\.volumeDifference) == [0, 0, 0])
  }

  /// Three boxes of 200 x 200 x 50 voxels on top of each other that begin at a given x.
  private func stackedBoxes(from first: Int) -> LabelMap {
    let extent = Extent(depth: 155, height: 240, width: 240)
    var labels = [Int16](repeating: 0, count: extent.voxels)
    for z in 0..<150 {
      for y in 10..<210 {
        let row = (z * extent.height + y) * extent.width
        for x in first..<first + 200 { labels[row + x] = Int16(1 + z / 50) }
      }
    }
    return LabelMap(
      labels: labels, geometry: Geometry(extent: extent, affine: Affine(spacing: [1, 1, 1])))
  }

  private func isNear(_ value: Double?, _ expected: Double) -> Bool {
    abs((value ?? .nan) - expected) <= 1e-9 * max(1, expected)
  }

  private func search(_ mask: Mask, _ spacing: [Double]) -> [Double] {
    let extent = mask.extent
    func position(_ index: Int) -> SIMD3<Double> {
      let (row, x) = index.quotientAndRemainder(dividingBy: extent.width)
      return SIMD3(
        Double(x) * spacing[0], Double(row % extent.height) * spacing[1],
        Double(row / extent.height) * spacing[2])
    }
    let sources = mask.inside.indices.filter { mask.inside[$0] != 0 }.map(position)
    return mask.inside.indices.map { index in
      let here = position(index)
      return sources.map { (($0 - here) * ($0 - here)).sum() }.min() ?? .infinity
    }
  }
}

/// The decoded contents of a JSON file in Fixtures.
func fixture<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
  let url = try #require(
    Bundle.module.url(forResource: "Fixtures/\(path)", withExtension: "json"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}
