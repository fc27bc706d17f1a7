import Foundation
import Testing
import Training

@Suite struct NormHistoryTests {
  /// A history of 1 and 16 in turns: their logarithms have mean log 4 and standard deviation log 4.
  private func history(_ count: Int) -> NormHistory {
    var history = NormHistory()
    for index in 0..<count { history.add(index % 2 == 0 ? 1 : 16) }
    return history
  }

  @Test func `an outlier is told by the logarithms' mean and deviation`() throws {
    for (norm, expected) in [(4.0, 0.0), (256, 3), (0.25, -2)] {
      #expect(abs(try #require(history(20).deviations(of: norm)) - expected) < 1e-9)
    }
  }

  @Test func `fewer than 20 norms tell nothing`() {
    #expect(history(19).deviations(of: 1000) == nil)
    #expect(history(20).deviations(of: 1000) != nil)
  }

  @Test func `only the last 50 norms count`() throws {
    var history = NormHistory()
    for _ in 0..<30 { history.add(1e9) }
    for index in 0..<50 { history.add(index % 2 == 0 ? 1 : 16) }
    #expect(abs(try #require(history.deviations(of: 64)) - 2) < 1e-9)
  }

  @Test func `a norm of 0 has no logarithm and is left out`() {
    var history = history(20)
    history.add(0)
    #expect(history == self.history(20))
    #expect(history.deviations(of: 0) == nil)
  }

  @Test func `a checkpoint keeps the norms to the bit`() throws {
    var history = NormHistory()
    for index in 1...30 { history.add(1 / Double(index)) }
    let json = try JSONEncoder().encode(history)
    #expect(try JSONDecoder().decode(NormHistory.self, from: json) == history)
  }
}
