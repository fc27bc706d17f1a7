/// How far a run was when its checkpoint was written.
///
/// Random streams are keyed by (seed, purpose, epoch, patch), so the sampler's and the loader's
/// state is the position alone.
package struct CheckpointState: Codable, Equatable, Sendable {
  /// Steps done.
  package var step: Int
  /// Epochs done.
  package var epoch: Int
  /// Patches done of the current epoch's list: the sampler's position.
  ///
  /// Patches are dealt in the order of the list, so those before it are done and those from it on
  /// are not, whatever the number of ranks.
  package var patchesInEpoch: Int
  /// The length of the current epoch's list; 0 before the first epoch.
  ///
  /// A list that was begun stays as it is when the run goes on with other ranks, `accumulate` or
  /// `stepsPerEpoch`: the rest is dealt in steps of the new size, and each later epoch has its own.
  package var patchesOfEpoch: Int
  /// Updates of the weights: steps without the skipped ones.
  package var updates: Int
  /// The best mean Dice of a validation so far, 0 to 1; nil before the first.
  package var bestScore: Double?
  /// The epoch of the best score.
  package var bestEpoch: Int?
  /// The number of ranks of the run.
  package var ranks: Int
  package var seed: Int
  /// The norms of the last good steps; nil unless `training.outlierZScore` is in use.
  package var norms: NormHistory?

  package init(
    step: Int, epoch: Int, patchesInEpoch: Int = 0, patchesOfEpoch: Int = 0, updates: Int = 0,
    bestScore: Double? = nil, bestEpoch: Int? = nil, ranks: Int, seed: Int
  ) {
    self.step = step
    self.epoch = epoch
    self.patchesInEpoch = patchesInEpoch
    self.patchesOfEpoch = patchesOfEpoch
    self.updates = updates
    self.bestScore = bestScore
    self.bestEpoch = bestEpoch
    self.ranks = ranks
    self.seed = seed
  }

  /// The share of a run of `epochs` epochs that is done, 0 to 1: the schedule's position.
  ///
  /// It goes on from the same share where the number of patches of an epoch changes.
  package func progress(of epochs: Int) -> Double {
    let length = max(1, patchesOfEpoch)
    return Double(epoch * length + patchesInEpoch) / Double(epochs * length)
  }

  /// Whether a run can have stood there.
  var isPossible: Bool {
    min(step, epoch, patchesInEpoch, updates) >= 0 && patchesInEpoch <= patchesOfEpoch
  }
}

/// What a checkpoint holds besides tensors.
package struct CheckpointMetadata: Equatable, Sendable {
  package var state: CheckpointState
  /// The configuration that the run was started with.
  package var configuration: Configuration
  /// The data set's labels in the order of the model's outputs.
  package var labels: JSON
  /// The intensity statistics of normalization `ct`; null for the others.
  package var intensities: JSON

  package init(
    state: CheckpointState, configuration: Configuration, labels: JSON, intensities: JSON = .null
  ) {
    self.state = state
    self.configuration = configuration
    self.labels = labels
    self.intensities = intensities
  }
}
