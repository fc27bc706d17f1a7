import Synchronization

/// What a rank is doing: told by the thread that trains, read by the watchdog's.
package final class Activity: Sendable {
  /// A part of the work.
  package enum Phase: String, CaseIterable, Sendable {
    case start, load, forward, backward, allreduce, update, validation, checkpoint, barrier

    /// Whether the rank can only wait for others here.
    package var isWaiting: Bool { self == .allreduce || self == .barrier }
  }

  private struct State {
    var beat = Beat(step: 0, phase: .start, detail: "", secondsWithoutProgress: 0)
    var place = ""
    var lastProgress = monotonicSeconds()
  }
  private let state = Mutex(State())

  package init() {}

  /// Says that the rank begins `phase`; every call is progress.
  ///
  /// - Parameters:
  ///   - step: the run's step at work, counted from 1; the one before if nil.
  ///   - detail: what is worked on, such as a subject.
  package func begin(_ phase: Phase, step: Int? = nil, _ detail: String = "") {
    state.withLock { state in
      state.beat = Beat(
        step: step ?? state.beat.step, phase: phase, detail: detail, secondsWithoutProgress: 0)
      state.place = ""
      state.lastProgress = monotonicSeconds()
    }
  }

  /// Says how far the phase has come, such as a layer; every call is progress.
  ///
  /// - Parameter phase: the phase that other threads' work belongs to; in another it does not count.
  package func reach(_ place: String, during phase: Phase? = nil) {
    state.withLock { state in
      guard phase == nil || phase == state.beat.phase else { return }
      state.place = place
      state.lastProgress = monotonicSeconds()
    }
  }

  /// What the rank is doing now.
  package var beat: Beat {
    state.withLock { state in
      var beat = state.beat
      beat.detail = [beat.detail, state.place].filter { !$0.isEmpty }.joined(separator: ", ")
      beat.secondsWithoutProgress = monotonicSeconds() - state.lastProgress
      return beat
    }
  }

  /// Leaves `seconds` in which the whole process was stopped out of the account.
  func forgive(_ seconds: Double) { state.withLock { $0.lastProgress += seconds } }
}

/// What a rank was doing at one moment, as it is sent to the root.
package struct Beat: Equatable, Sendable, CustomStringConvertible {
  /// The run's step at work, counted from 1.
  package var step: Int
  package var phase: Activity.Phase
  /// The subject, layer or bucket.
  package var detail: String
  package var secondsWithoutProgress: Double

  package init(
    step: Int, phase: Activity.Phase, detail: String, secondsWithoutProgress: Double
  ) {
    self.step = step
    self.phase = phase
    self.detail = detail
    self.secondsWithoutProgress = secondsWithoutProgress
  }

  /// "step 17, forward (decoder.1)".
  package var description: String {
    "step \(step), \(phase.rawValue)" + (detail.isEmpty ? "" : " (\(detail))")
  }

  /// The most bytes of a message.
  static let capacity = 256

  /// The beat as a message, of at most `capacity` bytes.
  package var message: [UInt8] {
    Array(
      "\(step) \(phase.rawValue) \(secondsWithoutProgress) \(detail)".utf8.prefix(Self.capacity))
  }

  /// The beat of a message; nil for anything else.
  package init?(message: some Collection<UInt8>) {
    let words = String(decoding: message, as: UTF8.self)
      .split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard words.count == 4, let step = Int(words[0]),
      let phase = Activity.Phase(rawValue: String(words[1])), let seconds = Double(words[2])
    else { return nil }
    self.init(
      step: step, phase: phase, detail: String(words[3]), secondsWithoutProgress: seconds)
  }
}
