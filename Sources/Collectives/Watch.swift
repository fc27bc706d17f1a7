/// What one rank has heard of others, and the rules by which it finds one late.
///
/// Only clocks that never jump are compared, each with itself: a rank sends how long it has made no
/// progress, and the watcher adds nothing but the time since it last heard of that rank.
package struct Watch: Sendable {
  /// A rank that holds the job up.
  package struct Late: Equatable, Sendable {
    /// How the rank was found out.
    package enum Reason: Equatable, Sendable {
      /// Nothing has come from it for so many seconds: stopped, dead or cut off.
      case silent(seconds: Double)
      /// It answers, but its work makes no progress.
      case stuck(seconds: Double)
      /// Every rank waits for the others, this one furthest behind.
      case behind(seconds: Double)
    }
    package let rank: Int
    package let reason: Reason
    /// The last that was heard of it; nil if nothing ever was.
    package let beat: Beat?

    package init(rank: Int, reason: Reason, beat: Beat?) {
      self.rank = rank
      self.reason = reason
      self.beat = beat
    }
  }

  /// What a rank can judge.
  package enum Scope: Sendable {
    /// The root hears everyone, itself included.
    case everything
    /// The others hear the root only: waiting for it is nothing to worry about, its silence is.
    case silence
    /// A rank that hears nobody knows its own work.
    case work
  }

  private let scope: Scope
  private let timeout: Double
  private var beats: [Int: Beat] = [:]
  private var heardAt: [Int: Double]

  /// A watch over `ranks` that begins at `now`; times and `timeout` are in seconds.
  package init(
    over ranks: some Sequence<Int>, judging scope: Scope = .everything, timeout: Double,
    now: Double
  ) {
    self.scope = scope
    self.timeout = timeout
    heardAt = Dictionary(uniqueKeysWithValues: ranks.map { ($0, now) })
  }

  /// Notes what a rank has sent.
  package mutating func hear(_ beat: Beat, from rank: Int, now: Double) {
    beats[rank] = beat
    heardAt[rank] = now
  }

  /// Leaves `seconds` in which the watching process was stopped itself out of the account.
  package mutating func forgive(_ seconds: Double) {
    for rank in heardAt.keys { heardAt[rank]? += seconds }
  }

  /// The ranks that hold the job up, ascending; none while all goes well.
  ///
  /// A rank that works is late when it makes no progress for the timeout; one that waits is not,
  /// however long, while another works: validation on the root may take hours.
  package func late(now: Double) -> [Late] {
    switch scope {
    case .silence: silent(now)
    case .work: stuck
    case .everything: [silent(now), stuck, furthestBehind].first { !$0.isEmpty } ?? []
    }
  }

  private func silent(_ now: Double) -> [Late] {
    found { rank, _ in
      let seconds = now - (heardAt[rank] ?? now)
      return seconds > timeout ? .silent(seconds: seconds) : nil
    }
  }

  private var stuck: [Late] {
    found { _, beat in
      guard let beat, !beat.phase.isWaiting else { return nil }
      let seconds = beat.secondsWithoutProgress
      return seconds > timeout ? .stuck(seconds: seconds) : nil
    }
  }

  private func found(_ reason: (Int, Beat?) -> Late.Reason?) -> [Late] {
    heardAt.keys.sorted().compactMap { rank in
      reason(rank, beats[rank]).map { Late(rank: rank, reason: $0, beat: beats[rank]) }
    }
  }

  /// Of ranks that all wait for each other, the one in the earliest step; of those the one that has
  /// waited longest.
  private var furthestBehind: [Late] {
    let all = heardAt.keys.sorted().compactMap { rank in beats[rank].map { (rank, $0) } }
    guard all.count == heardAt.count,
      all.allSatisfy({ $1.phase.isWaiting && $1.secondsWithoutProgress > timeout }),
      let (rank, beat) = all.min(by: {
        ($0.1.step, -$0.1.secondsWithoutProgress) < ($1.1.step, -$1.1.secondsWithoutProgress)
      })
    else { return [] }
    return [Late(rank: rank, reason: .behind(seconds: beat.secondsWithoutProgress), beat: beat)]
  }
}
