import Foundation
import TestSupport
import Testing

/// A rank that meets an error of its own in a real run: the others wait for it and must not go on
/// doing so.
@Suite(.serialized) struct FaultCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset(subjects: 6) }

  private func damage(_ path: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
  }

  /// Expects that the error ended the job at once, named once, and left nothing.
  private func expect(_ end: BrokenRun.End, code: Int32, rank: Int?, _ text: String) {
    #expect(end.code == code, "\(end.errors)")
    let messages = end.errors.split(separator: "\n").filter { $0.hasPrefix("lkdist: ") }
    #expect(messages.count == 1, "\(end.errors)")
    let message = messages.first ?? ""
    #expect(message.hasPrefix("lkdist: rank \(rank.map { "\($0) of 2 on " } ?? "")"), "\(message)")
    #expect(message.contains(text), "\(message)")
    #expect(end.seconds < 30 && end.left == "", "\(end.seconds) s, left: \(end.left)")
  }

  @Test func `a damaged file that one rank meets ends the job with code 65`() throws {
    // Of the four training subjects, two go to each rank.
    try damage(data.image(1))
    let end = try BrokenRun(data, []).train()
    expect(end, code: 65, rank: nil, data.image(1))
  }

  @Test(arguments: [("root", 0), ("all", 1)])
  func `a damaged file in validation is named by the rank that validates`(
    place: String, rank: Int
  ) throws {
    try damage(data.label(3))
    let end = try BrokenRun(
      data,
      [
        "training.validateEvery=1", "training.stepsPerEpoch=1", "distributed.validation=\(place)",
      ]
    ).train()
    expect(end, code: 65, rank: rank, data.label(3))
  }

  @Test func `a rank out of memory says what it wanted and what to do`() throws {
    var run = BrokenRun(
      data,
      [
        "data.patchSize=[64,64,64]", "model.channels=32", "model.maximumChannels=32",
        "distributed.timeoutSeconds=60",
      ])
    run.prefixOfRank1 = "prlimit --data=\(512 << 20)"
    let end = try run.train()
    expect(end, code: 70, rank: 1, "out of memory: ")
    for text in ["MiB more could not be had", "data.patchSize", "recompute: blocks", "more nodes"] {
      #expect(end.errors.contains(text), "\(text) in \(end.errors)")
    }
  }
}
