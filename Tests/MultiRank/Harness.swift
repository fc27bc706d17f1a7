import Collectives
import Foundation

/// A test that every rank runs at the same time.
struct MultiRankTest {
  let name: String
  let ranks: ClosedRange<Int>
  let body: (_ world: Communicator, _ checks: Checks) throws -> Void

  /// A test named by a sentence, for worlds of `ranks` ranks.
  init(
    _ name: String, ranks: ClosedRange<Int> = 1...4,
    _ body: @escaping (_ world: Communicator, _ checks: Checks) throws -> Void
  ) {
    (self.name, self.ranks, self.body) = (name, ranks, body)
  }
}

/// What one rank found wrong in one test.
final class Checks {
  fileprivate var failures: [String] = []

  /// Notes a failure unless `condition` holds.
  func expect(
    _ condition: Bool, _ message: @autoclosure () -> String = "expectation not met",
    file: String = #fileID, line: Int = #line
  ) {
    if !condition { failures.append("\(file):\(line): \(message())") }
  }

  /// Notes a failure unless both values are equal.
  func equal<Value: Equatable>(
    _ value: Value, _ expected: Value, file: String = #fileID, line: Int = #line
  ) {
    expect(value == expected, "\(value) is not \(expected)", file: file, line: line)
  }
}

/// Runs the tests that suit this world, prints one line each and `N passed, N failed` from rank 0,
/// and returns the number of failed tests.
///
/// A rank that throws would leave the others waiting for it, so the whole job ends then.
func run(_ tests: [MultiRankTest], world: Communicator) throws -> Int {
  var (passed, failed) = (0, 0)
  for test in tests where test.ranks.contains(world.size) {
    let checks = Checks()
    do { try test.body(world, checks) } catch {
      fail("'\(test.name)' threw: \(error)", code: 1)
    }
    let failures = try collect(checks, world: world)
    if failures.isEmpty { passed += 1 } else { failed += 1 }
    guard world.rank == 0 else { continue }
    say((failures.isEmpty ? "ok      " : "FAILED  ") + test.name)
    failures.forEach { say("        \($0)") }
  }
  if world.rank == 0 { say("\(passed) passed, \(failed) failed") }
  return failed
}

/// Every rank's failures, on every rank.
private func collect(_ checks: Checks, world: Communicator) throws -> [String] {
  let own = checks.failures.map { "rank \(world.rank): \($0)" }.joined(separator: "\n")
  let all = try world.gather(own) ?? []
  return try world.broadcast(all.filter { !$0.isEmpty }.joined(separator: "\n"))
    .split(separator: "\n").map(String.init)
}

/// Prints a line at once: a job that is aborted loses what is still buffered.
func say(_ line: String) {
  FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
