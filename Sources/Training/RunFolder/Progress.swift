/// The line that shows how far a run is.
package struct Progress {
  /// Patches of the whole run.
  package let patches: Int
  package let epochs: Int
  /// The fewest seconds between two lines.
  package let interval: Double
  private var lastLine = -Double.infinity
  private var history: [(time: Double, patches: Int)] = []

  package init(patches: Int, epochs: Int, interval: Double) {
    self.patches = patches
    self.epochs = epochs
    self.interval = interval
  }

  /// How far a run is.
  package struct Position: Sendable {
    /// The epoch at work, from 1.
    package var epoch: Int
    /// The step of the epoch just done, from 1.
    package var step: Int
    package var stepsPerEpoch: Int
    package var loss: Double
    /// Patches done since the run began, resumed ones included.
    package var patchesDone: Int

    package init(epoch: Int, step: Int, stepsPerEpoch: Int, loss: Double, patchesDone: Int) {
      self.epoch = epoch
      self.step = step
      self.stepsPerEpoch = stepsPerEpoch
      self.loss = loss
      self.patchesDone = patchesDone
    }
  }

  /// The line after a step that ended at `time` in seconds; nil if the last is too recent.
  package mutating func line(_ position: Position, at time: Double) -> String? {
    // The rate is that of the last half minute or so: a run's speed may change.
    history.append((time, position.patchesDone))
    while history.count > 2, history[1].time < time - 30 { history.removeFirst() }
    guard time - lastLine >= interval else { return nil }
    lastLine = time
    var parts = [
      "epoch \(position.epoch)/\(epochs)", "step \(position.step)/\(position.stepsPerEpoch)",
      "loss " + Self.rounded(position.loss, 4),
    ]
    if let rate {
      parts.append(Self.rounded(rate, rate < 10 ? 2 : 0) + " patches/s")
      parts.append(Self.duration(Double(patches - position.patchesDone) / rate) + " left")
    }
    return parts.joined(separator: "  ")
  }

  /// Patches per second; nil until two steps are done.
  private var rate: Double? {
    guard let first = history.first, let last = history.last, last.time > first.time,
      last.patches > first.patches
    else { return nil }
    return Double(last.patches - first.patches) / (last.time - first.time)
  }

  /// `value` with `digits` digits after the point.
  package static func rounded(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(scaled) }
    let fraction = String(scaled % scale)
    return sign + "\(scaled / scale)."
      + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// A time in the unit that fits it.
  package static func duration(_ seconds: Double) -> String {
    let seconds = Int(max(0, min(seconds, 1e9)).rounded())
    if seconds < 60 { return "\(seconds) s" }
    let minutes = (seconds + 30) / 60
    if minutes < 60 { return "\(minutes) min" }
    return "\(minutes / 60) h \(minutes % 60) min"
  }
}
