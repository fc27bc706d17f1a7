import Foundation
import NN
import Tensors
import Testing

@Suite struct OptimizerTests {
  @Test(arguments: [1, 2]) func `Adam moves values as torch's does`(threads: Int) throws {
    let fixture = try Fixture("adam")
    let compute = Compute(threads: threads)
    let parameter = Parameter(
      name: "values", shape: [1003], offset: 0, initialization: .constant(0))
    let store = ParameterStore([parameter], on: compute)
    _ = store.values.slice.mutableValues.update(
      fromContentsOf: Drawn.uniform("adam/values", 1003))
    let adam = Adam(count: store.count, weightDecay: try #require(fixture.meta.weightDecay))
    let rate = try #require(fixture.meta.learningRate)
    for step in 0..<5 {
      _ = store.gradients.slice.mutableValues.update(
        fromContentsOf: Drawn.uniform("adam/gradient\(step)", 1003, scale: 0.1))
      adam.update(store, learningRate: rate, on: compute)
    }
    #expect(try fixture.worst("values", store.values.slice.values) < 1e-6)
    #expect(try fixture.worst("first", adam.first.slice.values) < 1e-6)
    #expect(try fixture.worst("second", adam.second.slice.values) < 1e-6)
  }

  @Test func `ranges of a block are updated as the whole is, to the bit`() {
    let count = 10_001
    let compute = Compute(threads: 2)
    func store() -> ParameterStore {
      let shape = Parameter(name: "w", shape: [count], offset: 0, initialization: .constant(0))
      let store = ParameterStore([shape], on: compute)
      _ = store.values.slice.mutableValues.update(fromContentsOf: Drawn.uniform("values", count))
      return store
    }
    let (whole, parts) = (store(), store())
    let even = Adam(over: [0..<4096, 8192..<count])
    let adams = [Adam(over: [4096..<8192]), even]
    let adam = Adam(count: count)
    for step in 0..<3 {
      for store in [whole, parts] {
        _ = store.gradients.slice.mutableValues.update(
          fromContentsOf: Drawn.uniform("gradient\(step)", count))
      }
      adam.update(whole, learningRate: 1e-3, on: compute)
      for part in adams { part.update(parts, learningRate: 1e-3, on: compute) }
    }
    #expect(whole.values.slice.values.elementsEqual(parts.values.slice.values))
    #expect(even.first.count == 4096 + count - 8192)
    let second = Array(adam.second.slice.values)
    #expect(Array(even.second.slice.values) == Array(second[..<4096] + second[8192...]))
  }

  @Test func `poly falls as a power of what is left`() {
    let schedule = Schedule(kind: .poly, base: 3e-4, power: 0.9)
    #expect(schedule.learningRate(progress: 0, step: 0) == 3e-4)
    #expect(abs(schedule.learningRate(progress: 0.5, step: 5) - 3e-4 * pow(0.5, 0.9)) < 1e-12)
    #expect(schedule.learningRate(progress: 1, step: 10) == 0)
  }

  @Test func `cosine ends at 0 and constant stays`() {
    let cosine = Schedule(kind: .cosine, base: 1)
    #expect(cosine.learningRate(progress: 0, step: 0) == 1)
    #expect(abs(cosine.learningRate(progress: 0.5, step: 1) - 0.5) < 1e-12)
    #expect(abs(cosine.learningRate(progress: 1, step: 2)) < 1e-12)
    #expect(Schedule(kind: .constant, base: 2).learningRate(progress: 0.9, step: 9) == 2)
  }

  @Test func `warm-up rises linearly from base over its steps`() {
    let schedule = Schedule(kind: .constant, base: 1, warmupSteps: 4)
    let rates = (0..<6).map { schedule.learningRate(progress: 0.1, step: $0) }
    #expect(rates == [0.25, 0.5, 0.75, 1, 1, 1])
  }

  @Test func `warm-up rises to the base that the global batch scaled`() {
    let schedule = Schedule(
      kind: .constant, base: 1, warmupSteps: 4, scaling: .linear, globalBatch: 8)
    #expect((0..<5).map { schedule.learningRate(progress: 0, step: $0) } == [2, 4, 6, 8, 8])
  }

  @Test func `the base grows with the global batch as asked`() {
    let bases = Schedule.Scaling.allCases.map {
      Schedule(base: 1, scaling: $0, globalBatch: 16).base
    }
    #expect(bases == [1, 4, 16])
  }
}
