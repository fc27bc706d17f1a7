import Imaging
import Tensors
import Testing

@Suite struct PostprocessingStepTests {
  private struct Case: Decodable {
    struct Step: Decodable {
      let values: [Int16]
      let painted: Int16
      let below: Int16
      let largest: Bool
      let fill: Bool
      let minimum: Int
      let after: String
    }
    let zyx: [Int]
    let before: String
    let steps: [Step]
  }

  private func map(_ text: String, _ zyx: [Int]) -> LabelMap {
    LabelMap(
      labels: text.utf8.map { Int16($0) - 48 },
      geometry: Geometry(
        extent: Extent(depth: zyx[0], height: zyx[1], width: zyx[2]),
        affine: Affine(spacing: [1, 1, 1])))
  }

  @Test func `components, holes and sizes are SciPy's`() throws {
    var changed = 0
    for item in try fixture([Case].self, "postprocessing/steps") {
      for step in item.steps {
        var labels = map(item.before, item.zyx)
        PostprocessingStep(
          values: step.values, painted: step.painted, below: step.below,
          keepsLargestComponent: step.largest, fillsHoles: step.fill, minimumVoxels: step.minimum
        ).apply(to: &labels)
        #expect(labels.labels == map(step.after, item.zyx).labels, "\(item.zyx) \(step)")
        changed += step.after == item.before ? 0 : 1
      }
    }
    #expect(changed > 30)
  }

  @Test func `a class that is not there stays away`() {
    var labels = map("000000000", [1, 3, 3])
    PostprocessingStep(
      values: [1], painted: 1, keepsLargestComponent: true, fillsHoles: true, minimumVoxels: 5
    ).apply(to: &labels)
    #expect(labels.labels.allSatisfy { $0 == 0 })
  }
}
