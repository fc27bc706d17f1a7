import Collectives
import Testing

/// The rules by which a rank is found late, without clocks or messages.
struct WatchTests {
  private func beat(
    _ phase: Activity.Phase, step: Int = 5, for seconds: Double = 0
  ) -> Beat {
    Beat(step: step, phase: phase, detail: "", secondsWithoutProgress: seconds)
  }

  /// A watch over as many ranks as there are beats, all heard at second 100.
  private func watch(_ beats: Beat...) -> Watch {
    var watch = Watch(over: beats.indices, timeout: 10, now: 0)
    for (rank, beat) in beats.enumerated() { watch.hear(beat, from: rank, now: 100) }
    return watch
  }

  @Test func `ranks that make progress are not late`() {
    #expect(watch(beat(.forward, for: 9.9), beat(.allreduce)).late(now: 109).isEmpty)
  }

  @Test func `a rank that sends nothing for the timeout is silent`() {
    var watch = watch(beat(.allreduce, for: 5), beat(.backward), beat(.allreduce, for: 5))
    for rank in [0, 2] { watch.hear(beat(.allreduce, for: 15), from: rank, now: 110) }
    #expect(watch.late(now: 110).isEmpty)
    #expect(
      watch.late(now: 111) == [
        .init(rank: 1, reason: .silent(seconds: 11), beat: beat(.backward))
      ])
  }

  @Test func `a rank that was never heard of is silent since the start`() {
    let watch = Watch(over: 0...1, timeout: 10, now: 50)
    #expect(watch.late(now: 60).isEmpty)
    #expect(
      watch.late(now: 61) == [
        .init(rank: 0, reason: .silent(seconds: 11), beat: nil),
        .init(rank: 1, reason: .silent(seconds: 11), beat: nil),
      ])
  }

  @Test(arguments: [
    Activity.Phase.start, .load, .forward, .backward, .update, .validation, .checkpoint,
  ])
  func `a rank that works without progress is stuck, those that wait for it are not`(
    phase: Activity.Phase
  ) {
    let late = watch(beat(.allreduce, for: 11), beat(phase, for: 10.5), beat(.barrier, for: 12))
      .late(now: 101)
    #expect(late == [.init(rank: 1, reason: .stuck(seconds: 10.5), beat: beat(phase, for: 10.5))])
  }

  @Test func `ranks may wait for ever while the root validates with progress`() {
    let waiting = beat(.allreduce, for: 5000)
    #expect(watch(beat(.validation, for: 2), waiting, waiting).late(now: 101).isEmpty)
  }

  @Test func `of ranks that all wait the one furthest behind is named`() {
    let behind = beat(.barrier, step: 4, for: 11)
    let late = watch(beat(.allreduce, for: 20), behind, beat(.allreduce, for: 30)).late(now: 101)
    #expect(late == [.init(rank: 1, reason: .behind(seconds: 11), beat: behind)])
    let longest = beat(.allreduce, for: 30)
    #expect(
      watch(beat(.allreduce, for: 20), longest).late(now: 101)
        == [.init(rank: 1, reason: .behind(seconds: 30), beat: longest)])
    #expect(watch(beat(.allreduce, for: 20), beat(.allreduce, for: 9)).late(now: 101).isEmpty)
  }

  @Test func `a rank other than the root judges the root's silence only`() {
    var watch = Watch(over: 0...0, judging: .silence, timeout: 10, now: 0)
    for phase in [Activity.Phase.allreduce, .forward] {
      watch.hear(beat(phase, for: 500), from: 0, now: 100)
      #expect(watch.late(now: 109).isEmpty)
    }
    #expect(watch.late(now: 111).map(\.reason) == [.silent(seconds: 11)])
  }

  @Test func `a rank that hears nobody judges its own work only`() {
    var watch = Watch(over: 3...3, judging: .work, timeout: 10, now: 0)
    watch.hear(beat(.allreduce, for: 500), from: 3, now: 100)
    #expect(watch.late(now: 500).isEmpty)
    watch.hear(beat(.backward, for: 11), from: 3, now: 100)
    #expect(watch.late(now: 100).map(\.reason) == [.stuck(seconds: 11)])
  }

  @Test func `time in which the watcher was stopped does not count`() {
    var watch = watch(beat(.forward), beat(.forward))
    watch.forgive(500)
    #expect(watch.late(now: 610).isEmpty)
    #expect(watch.late(now: 611).count == 2)
  }

  @Test func `a beat survives its message, and other messages are none`() throws {
    let sent = Beat(
      step: 17, phase: .validation, detail: "Größe 3, decoder.1", secondsWithoutProgress: 2.5)
    #expect(Beat(message: sent.message) == sent)
    #expect(sent.description == "step 17, validation (Größe 3, decoder.1)")
    let bare = beat(.barrier)
    #expect(Beat(message: bare.message) == bare)
    #expect(bare.description == "step 5, barrier")
    let long = Beat(
      step: 1, phase: .load, detail: String(repeating: "x", count: 9999), secondsWithoutProgress: 0)
    #expect(long.message.count == 256)
    #expect(try #require(Beat(message: long.message)).phase == .load)
    for text in ["", "hello", "1 2 3 4", "x load 3 y", "1 load z y", "1 load 3"] {
      #expect(Beat(message: Array(text.utf8)) == nil, "\(text)")
    }
  }

  @Test func `an activity tells its phase and place, and progress restarts its clock`() async throws
  {
    let activity = Activity()
    activity.begin(.forward, step: 3, "case_1")
    activity.reach("encoder.2")
    #expect(activity.beat.description == "step 3, forward (case_1, encoder.2)")
    try await Task.sleep(for: .milliseconds(60))
    #expect(activity.beat.secondsWithoutProgress >= 0.05)
    let before = activity.beat.secondsWithoutProgress
    activity.reach("encoder.3")
    #expect(activity.beat.secondsWithoutProgress < before)
    activity.begin(.allreduce)
    #expect(activity.beat.description == "step 3, allreduce")
  }

  @Test func `work on other threads counts in its phase alone`() {
    let activity = Activity()
    activity.begin(.load, step: 3)
    activity.reach("preparing case_1", during: .load)
    #expect(activity.beat.detail == "preparing case_1")
    activity.begin(.forward, "case_0")
    activity.reach("preparing case_2", during: .load)
    #expect(activity.beat.detail == "case_0")
  }
}
