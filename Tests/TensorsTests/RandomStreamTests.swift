import Tensors
import Testing

@Suite struct RandomStreamTests {
  @Test func `the same key gives the same numbers and another key others`() {
    var first = RandomStream(seed: 1, purpose: "patch", epoch: 2, patch: 3)
    var again = RandomStream(seed: 1, purpose: "patch", epoch: 2, patch: 3)
    var other = RandomStream(seed: 1, purpose: "patch", epoch: 2, patch: 4)
    let draws = (0..<8).map { _ in first.next() }
    #expect(draws == (0..<8).map { _ in again.next() })
    #expect(draws != (0..<8).map { _ in other.next() })
  }

  @Test func `normal draws have mean 0 and variance 1`() {
    var stream = RandomStream(seed: 7, purpose: "normal")
    let draws = (0..<100_000).map { _ in stream.normal() }
    let mean = draws.reduce(0, +) / Double(draws.count)
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws.count)
    #expect(abs(mean) < 0.01)
    #expect(abs(variance - 1) < 0.02)
  }
}
