import Foundation
import TestSupport
import Testing

/// A rank that hangs in a real run, as a user sees it.
@Suite(.serialized) struct WatchdogCommandTests {
  /// Subjects of which 0 and 3 are held out, for ranks 0 and 1.
  private let data: TinyDataset
  private let timeout = 4.0

  init() throws { data = try TinyDataset(subjects: 6) }

  private func run(_ settings: String...) -> BrokenRun {
    BrokenRun(data, ["distributed.timeoutSeconds=\(timeout)"] + settings)
  }

  /// A run whose validation takes a minute: a volume of many windows after each step.
  private func validating(_ place: String) -> BrokenRun {
    run(
      "training.validateEvery=1", "training.stepsPerEpoch=1", "distributed.validation=\(place)",
      "data.spacing=[0.15,0.15,0.15]")
  }

  /// Expects that the end named the late rank, in time, and left nothing.
  private func expect(_ end: BrokenRun.End, named texts: String..., inLog: Bool = true) {
    #expect(end.code == 71, "\(end.errors)")
    #expect(end.seconds < timeout + 10, "\(end.seconds) s")
    #expect(end.left == "", "\(end.errors)")
    for text in texts {
      #expect(end.errors.contains(text), "\(text) in \(end.errors)")
      #expect(!inLog || end.log.contains(text), "\(text) in \(end.log)")
    }
  }

  @Test func `a stopped rank is named, the job ends with code 71 and leaves no process`() throws {
    let end = try run().train(then: "sleep 1; kill -STOP $(rank 1)")
    expect(end, named: "rank 1 on ", ", last in step ", ", has been silent for ")
  }

  @Test func `a rank stopped for less than the timeout does not matter`() throws {
    let end = try run().train(
      then: "kill -STOP $(rank 1); sleep 2; kill -CONT $(rank 1); sleep 1; kill -USR1 $(rank 0)")
    #expect(end.code == 75, "\(end.errors)")
    #expect(!end.errors.contains("silent"), "\(end.errors)")
  }

  @Test func `a rank stopped in its part of the validation is named with the subject`() throws {
    let end = try validating("all").train(then: "sleep 2; kill -STOP $(rank 1)")
    expect(
      end, named: "rank 1 on ", "last in step 1, validation (case_3, ", "has been silent for ")
  }

  @Test func `a root stopped in validation is named by those who sleep meanwhile`() throws {
    let end = try validating("root").train(then: "sleep 2; kill -STOP $(rank 0)")
    expect(
      end, named: "the root, rank 0 on ", "last in step 1, validation (case_0, ",
      "has been silent for ", "this rank is in step 1, barrier (validation)", inLog: false)
  }

  @Test func `validation longer than the timeout is no hang`() throws {
    let end = try validating("root").train(then: "sleep 6; kill -9 $(rank 0)")
    #expect(end.code == 137, "\(end.errors)")
    #expect(!end.errors.contains("silent"), "\(end.errors)")
    #expect(!end.errors.contains("no progress"), "\(end.errors)")
  }
}
