import Foundation
import Protobuf
import TestSupport
import Testing
import Training

/// Event files against those that TensorBoard's own writer made (scripts/check-tensorboard.py).
@Suite struct EventLogTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func log(resumingAt step: Int = 0, time: Double = 1234.5) -> EventLog {
    EventLog(
      in: folder.path, resumingAt: step, configuration: "name: tiny\n", names: ["1": "box"]
    ) { time }
  }

  private func stepRecord(_ step: Int) -> StepRecord {
    StepRecord(
      step: step, epoch: 1, loss: 0.75, learningRate: 3e-4, gradientNorm: 1.5,
      seconds: StepSeconds(
        forward: 0.25, backward: 0.5, allreduceExposed: 0.0625, allreduceHidden: 0.125,
        update: 0.03125, data: 0))
  }

  private func validationRecord(_ step: Int) -> ValidationRecord {
    ValidationRecord(
      step: step, epoch: 1, dice: [("1", 0.875), ("foreground", 0.875)],
      hd95: [("1", nil), ("foreground", 1.25)])
  }

  /// The events of a file, the check of every record compared.
  private func events(_ name: String) throws -> [Tensorboard_Event] {
    var rest = try folder.bytes(name)[...]
    var events: [Tensorboard_Event] = []
    func number(_ count: Int) -> Int {
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    while !rest.isEmpty {
      let header = rest.prefix(8)
      let length = number(8)
      #expect(number(4) == Int(CRC32C.masked(header)))
      let data = rest.prefix(length)
      rest = rest.dropFirst(length)
      #expect(number(4) == Int(CRC32C.masked(data)))
      events.append(try Tensorboard_Event(serializedBytes: Array(data)))
    }
    return events
  }

  @Test func `the check is the published one`() {
    #expect(CRC32C.of(Array("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.of([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(CRC32C.of((0..<32).map { UInt8($0) }) == 0x46dd_794e)
  }

  @Test func `the bytes are those that TensorBoard writes`() throws {
    let log = log(resumingAt: 7)
    log.add(stepRecord(8))
    log.add(validationRecord(8))
    #expect(folder.names.isEmpty)
    try log.write()
    let name = try #require(folder.names.first)
    #expect(name.hasPrefix("events.out.tfevents.1234."))
    let url = try #require(
      Bundle.module.url(
        forResource: "events", withExtension: "tfevents", subdirectory: "Fixtures"))
    #expect(try folder.bytes(name) == Array(try Data(contentsOf: url)))
  }

  @Test func `a picture is a PNG file of its size`() throws {
    let log = log()
    var picture = Picture(width: 5, height: 3, gray: 7)
    picture[4, 2] = [255, 0, 0]
    try log.add(picture, tag: "validation/case")
    log.add(validationRecord(4))
    log.add(validationRecord(5))
    try log.write()
    let events = try events(folder.names[0])
    let shown = events.filter { $0.summary.value.contains { $0.tag == "validation/case" } }
    #expect(shown.map(\.step) == [4])
    let image = try #require(shown.first?.summary.value.last).image
    #expect([image.width, image.height, image.colorspace] == [5, 3, 3])
    #expect(Array(image.encodedImageString.prefix(4)) == [0x89] + Array("PNG".utf8))
  }

  @Test func `a run that goes on writes a later file that says from where`() throws {
    let first = log()
    first.add(stepRecord(1))
    try first.write()
    let second = log(resumingAt: 1)
    second.add(stepRecord(2))
    try second.write()
    #expect(folder.names.count == 2)
    let later = try events(folder.names[1])
    #expect(folder.names[1].hasPrefix("events.out.tfevents.1235."))
    #expect(later.first { $0.sessionLog.status == .start }?.step == 2)
    #expect(try events(folder.names[0]).first { $0.sessionLog.status == .start }?.step == 0)
  }

  @Test func `records that the disk refuses wait for the next time`() throws {
    let log = log()
    log.add(stepRecord(1))
    let moved = folder.path + "-moved"
    try FileManager.default.moveItem(atPath: folder.path, toPath: moved)
    #expect(throws: TrainingError.self) { try log.write() }
    try FileManager.default.moveItem(atPath: moved, toPath: folder.path)
    try log.write()
    #expect(try events(folder.names[0]).last?.summary.value.first?.tag == "loss")
  }
}
