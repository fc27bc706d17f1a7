import NN
import Tensors
import Testing

@Suite struct LossTests {
  static let fixtures = Loss.allCases.flatMap {
    ["loss-\($0.rawValue)", "loss-\($0.rawValue)-ignore"]
  }

  @Test(arguments: fixtures) func `a loss agrees with its twin`(name: String) throws {
    let (fixture, loss, logits, target) = try example(name)
    let result = loss(logits, target: target, scale: 1, on: Compute(threads: 2))
    #expect(try abs(result.value - #require(fixture.meta.loss)) < 1e-6)
    for (index, gradient) in result.gradients.enumerated() {
      #expect(try fixture.worst("logits\(index)", gradient.array) < 1e-5)
    }
  }

  @Test(arguments: fixtures)
  func `a loss's gradient is that of finite differences`(name: String) throws {
    let (_, loss, logits, target) = try example(name)
    let compute = Compute(threads: 1)
    let gradients = loss(logits, target: target, scale: 1, on: compute).gradients
    for head in logits.indices {
      let squared = gradients[head].array.reduce(0) { $0 + Double($1) * Double($1) }
      let h = Float(0.01 / squared.squareRoot())
      let moved = [h, -h].map { step in
        var copy = logits
        copy[head] = VoxelGrid(
          logits[head].shape,
          values: zip(logits[head].array, gradients[head].array).map { $0 + step * $1 })
        return loss(copy, target: target, scale: 1, on: compute).value
      }
      #expect(abs((moved[0] - moved[1]) / (2 * Double(h) * squared) - 1) < 5e-3)
    }
  }

  @Test func `the scale goes to the gradients and not to the value`() throws {
    let (_, loss, logits, target) = try example("loss-dice-ce")
    let compute = Compute(threads: 1)
    let whole = loss(logits, target: target, scale: 1, on: compute)
    let quarter = loss(logits, target: target, scale: 0.25, on: compute)
    #expect(whole.value == quarter.value)
    for (a, b) in zip(whole.gradients[0].array, quarter.gradients[0].array) {
      #expect(abs(a - 4 * b) <= 1e-6 * abs(a))
    }
  }

  @Test func `the heads weigh 8, 4, 2 and 1 fifteenths`() {
    #expect(Loss.supervisionWeights(4).map { $0 * 15 } == [8, 4, 2, 1])
    #expect(Loss.supervisionWeights(1) == [1])
  }

  @Test(arguments: Loss.allCases) func `a patch of ignored voxels has no gradient`(loss: Loss) {
    let extent = Extent(depth: 4, height: 4, width: 4)
    let logits = Drawn.grid("ignored", Shape(channels: 3, extent: extent))
    let target: Target =
      loss == .diceBCE
      ? .regions(logits, ignored: [Bool](repeating: true, count: 64))
      : .labels([Int16](repeating: 255, count: 64), ignore: 255)
    let result = loss([logits], target: target, scale: 1, on: Compute(threads: 1))
    #expect(result.value.isFinite)
    #expect(result.gradients[0].array.allSatisfy { $0 == 0 })
  }

  @Test(arguments: Loss.allCases)
  func `threads do not change a bit of a large patch`(loss: Loss) {
    let extent = Extent(depth: 96, height: 96, width: 96)
    let logits = Drawn.grid("large", Shape(channels: 3, extent: extent))
    let target = Drawn.target("large", loss, outputs: 3, extent, ignore: false)
    let results = [1, 2, 3].map {
      loss([logits], target: target, scale: 1, on: Compute(threads: $0))
    }
    for result in results {
      #expect(result.value == results[0].value)
      #expect(result.gradients[0].array == results[0].gradients[0].array)
    }
  }

  private func example(_ name: String) throws -> (Fixture, Loss, [VoxelGrid], Target) {
    let fixture = try Fixture(name)
    let loss = try #require(Loss(rawValue: fixture.meta.kind ?? ""))
    let outputs = try #require(fixture.meta.outputs)
    let extents = try #require(fixture.meta.extents).map { Extent($0) }
    let logits = extents.enumerated().map { index, extent in
      Drawn.grid("\(name)/logits\(index)", Shape(channels: outputs, extent: extent), scale: 3)
    }
    let target = Drawn.target(
      name, loss, outputs: outputs, extents[0], ignore: fixture.meta.ignore ?? false)
    return (fixture, loss, logits, target)
  }
}
