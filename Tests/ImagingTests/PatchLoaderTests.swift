import Foundation
import Imaging
import Synchronization
import Tensors
import Testing

@Suite(.timeLimit(.minutes(1))) struct PatchLoaderTests {
  private func patch(_ request: PatchRequest) -> Patch {
    Patch(
      image: VoxelGrid(zeros: Shape(channels: 1, extent: Extent(depth: 1, height: 1, width: 1))),
      labels: [0], subject: "\(request.subject)", epoch: request.epoch,
      position: request.position, corner: VoxelIndex(z: 0, y: 0, x: 0))
  }

  private func requests(_ count: Int) -> IndexingIterator<[PatchRequest]> {
    (0..<count).map { PatchRequest(epoch: 0, position: $0, subject: 0) }.makeIterator()
  }

  @Test(arguments: [1, 2, 5])
  func `patches come in the order of their requests`(threads: Int) throws {
    let loader = PatchLoader(threads: threads, requests: requests(200)) { request in
      if request.position % 3 == 0 { Thread.sleep(forTimeInterval: 0.0005) }
      return patch(request)
    }
    defer { loader.stop() }
    for position in 0..<200 { #expect(try loader.next().position == position) }
  }

  @Test func `a feed leads on into the next epochs`() throws {
    let plan = EpochPlan(
      subjects: 3, stepsPerEpoch: nil, ranks: 1, accumulate: 1, seed: 1, epoch: 0)
    let feed = PatchFeed(plan, rank: 0, endEpoch: .max)
    let loader = PatchLoader(threads: 2, requests: feed) { patch($0) }
    let patches = try (0..<12).map { _ in try loader.next() }
    #expect(patches.map(\.epoch) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    loader.stop()
  }

  @Test func `threads stay within the look-ahead`() throws {
    let started = Mutex(0)
    let loader = PatchLoader(threads: 2, lookAhead: 3, requests: requests(50)) { request in
      started.withLock { $0 += 1 }
      return patch(request)
    }
    for position in 0..<20 {
      Thread.sleep(forTimeInterval: 0.001)
      #expect(started.withLock { $0 } <= position + 3)
      _ = try loader.next()
    }
    loader.stop()
  }

  @Test func `an error comes in its turn and does not end the feed`() throws {
    let loader = PatchLoader(threads: 3, requests: requests(6)) {
      request throws(ImagingError) in
      if request.position == 2 { throw .badData("case2 is broken") }
      return patch(request)
    }
    for position in 0..<6 {
      if position == 2 {
        #expect(throws: ImagingError.badData("case2 is broken")) { try loader.next() }
      } else {
        #expect(try loader.next().position == position)
      }
    }
    loader.stop()
  }

  @Test func `stopping waits for work under way and is safe twice`() throws {
    let active = Mutex(0)
    let loader = PatchLoader(threads: 3, requests: requests(1000)) { request in
      active.withLock { $0 += 1 }
      Thread.sleep(forTimeInterval: 0.01)
      active.withLock { $0 -= 1 }
      return patch(request)
    }
    _ = try loader.next()
    loader.stop()
    #expect(active.withLock { $0 } == 0)
    loader.stop()
  }

  @Test func `a loader that is dropped lets go of its threads and closure`() throws {
    final class Token: Sendable {}
    weak var leaked: Token?
    do {
      let token = Token()
      leaked = token
      let loader = PatchLoader(threads: 2, requests: requests(100)) { request in
        withExtendedLifetime(token) { patch(request) }
      }
      _ = try loader.next()
    }
    let deadline = Date(timeIntervalSinceNow: 20)
    while leaked != nil && Date() < deadline { Thread.sleep(forTimeInterval: 0.001) }
    #expect(leaked == nil)
  }

  @Test func `the time spent waiting is measured`() throws {
    let loader = PatchLoader(threads: 1, requests: requests(1)) { request in
      Thread.sleep(forTimeInterval: 0.05)
      return patch(request)
    }
    _ = try loader.next()
    #expect(loader.secondsWaited > 0.02)
    loader.stop()
  }
}

@Suite(.timeLimit(.minutes(1))) struct SubjectStoreTests {
  private static func subject(_ identifier: String) -> PreparedSubject {
    let extent = Extent(depth: 2, height: 5, width: 10)
    let geometry = Geometry(extent: extent, affine: Affine(spacing: [1, 1, 1]))
    return PreparedSubject(
      identifier: identifier, image: VoxelGrid(zeros: Shape(channels: 1, extent: extent)),
      labels: nil,
      path: PreparationPath(
        stored: geometry, axes: .identity,
        crop: VoxelBox(lower: [0, 0, 0], extent: extent), prepared: geometry))
  }

  private final class Counter: Sendable {
    let counts = Mutex<[String: Int]>([:])
    func count(_ identifier: String) { counts.withLock { $0[identifier, default: 0] += 1 } }
  }

  @Test func `a subject is prepared once even if many threads ask at once`() {
    let counter = Counter()
    let store = SubjectStore { identifier in
      counter.count(identifier)
      Thread.sleep(forTimeInterval: 0.01)
      return Self.subject(identifier)
    }
    let team = ThreadTeam(threads: 4)
    defer { team.stop() }
    team.parallelFor(40) { index, _ in
      let identifier = "case\(index % 3)"
      let subject = try? store.subject(identifier)
      #expect(subject?.identifier == identifier)
    }
    #expect(counter.counts.withLock { $0 } == ["case0": 1, "case1": 1, "case2": 1])
    #expect(store.byteCount == 3 * 400)
  }

  @Test func `a subject that fails is read once and always gives the same error`() {
    let counter = Counter()
    let store = SubjectStore { identifier throws(ImagingError) in
      counter.count(identifier)
      throw .badData("\(identifier) is truncated")
    }
    for _ in 0..<3 {
      #expect(throws: ImagingError.badData("x is truncated")) { try store.subject("x") }
    }
    #expect(counter.counts.withLock { $0 } == ["x": 1])
  }

  @Test func `a limit keeps the subjects used last`() throws {
    let counter = Counter()
    let store = SubjectStore(byteLimit: 1000) { identifier in
      counter.count(identifier)
      return Self.subject(identifier)
    }
    for identifier in ["a", "b", "a", "c", "a", "b"] { _ = try store.subject(identifier) }
    #expect(store.byteCount == 800)
    #expect(counter.counts.withLock { $0 } == ["a": 1, "b": 2, "c": 1])
  }
}
