import Collectives

/// What one rank computes in a step: how long, and when its gradients become final.
package struct StepProfile: Equatable, Sendable {
  /// A moment of the backward pass.
  package struct Moment: Equatable, Sendable {
    /// From the start of backward.
    package var seconds: Double
    /// How many gradients will not change any more, counted from the end of the flat block.
    package var gradients: Int

    package init(seconds: Double, gradients: Int) {
      (self.seconds, self.gradients) = (seconds, gradients)
    }
  }

  /// Voxels of the patch along x, y, z.
  package var patchSize: [Int]
  package var forward: Double
  package var backward: Double
  package var update: Double
  /// By how much a step differs from the one before, as a standard deviation relative to the mean.
  package var jitter: Double
  /// In order of time; the last one tells of all gradients.
  package var final: [Moment]

  package init(
    patchSize: [Int] = [], forward: Double = 0, backward: Double = 0, update: Double = 0,
    jitter: Double = 0, final: [Moment] = []
  ) {
    (self.patchSize, self.forward, self.backward) = (patchSize, forward, backward)
    (self.update, self.jitter, self.final) = (update, jitter, final)
  }

  /// The seconds of a step of one rank alone.
  package var seconds: Double { forward + backward + update }

  /// How many gradients there are.
  package var gradients: Int { final.last?.gradients ?? 0 }

  /// The step of a processor that is `factor` times as fast.
  package func faster(by factor: Double) -> StepProfile {
    StepProfile(
      patchSize: patchSize, forward: forward / factor, backward: backward / factor,
      update: update / factor, jitter: jitter,
      final: final.map { Moment(seconds: $0.seconds / factor, gradients: $0.gradients) })
  }

  /// The buckets in the order in which they are summed: their bytes, and the seconds from the start
  /// of backward after which all their gradients are final.
  package func buckets(ofMiB size: Double) -> [(bytes: Int, released: Double)] {
    let floats = max(1, Int(size * 1_048_576 / 4))
    var moments = final[...]
    return GradientReducer.bounds(of: gradients, bucketFloats: floats).map { bounds in
      let needed = gradients - bounds.lowerBound
      while let first = moments.first, first.gradients < needed { moments.removeFirst() }
      return (bounds.count * 4, moments.first?.seconds ?? backward)
    }
  }
}

extension StepProfile {
  /// The step that repeated ones are like, when gradients were final in the last of them as `moments` say:
  /// the medians of `steps`.
  init(
    patchSize: [Int], steps: [StepSeconds], moments: [Moment]
  ) {
    let backward = median(of: steps.map(\.backward))
    let scale = backward / (steps.last?.backward ?? backward)
    self.init(
      patchSize: patchSize, forward: median(of: steps.map(\.forward)), backward: backward,
      update: median(of: steps.map(\.update)),
      jitter: Self.jitter(of: steps.map { $0.forward + $0.backward + $0.update }),
      final: moments.map { Moment(seconds: $0.seconds * scale, gradients: $0.gradients) })
  }

  /// The deviation by differences of neighbors (von Neumann 1941), which the slow drift of a shared machine
  /// does not enter.
  package static func jitter(of seconds: [Double]) -> Double {
    guard seconds.count > 1 else { return 0 }
    let squares = zip(seconds, seconds.dropFirst()).reduce(0) { $0 + ($1.1 - $1.0) * ($1.1 - $1.0) }
    let mean = seconds.reduce(0, +) / Double(seconds.count)
    return (squares / 2 / Double(seconds.count - 1)).squareRoot() / mean
  }
}
