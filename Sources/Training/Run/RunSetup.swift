import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// What a run is made of, before anything is computed; the same on every rank.
package struct RunSetup: Sendable {
  package let configuration: Configuration
  package let dataset: Dataset
  package internal(set) var training: [Subject]
  package internal(set) var validation: [Subject]
  package let scheme: LabelScheme
  package let model: ModelConfiguration
  package let preparation: PreparationSettings
  /// The training foreground's intensities per channel; empty unless a channel needs them.
  package let intensities: [IntensityStatistics]
  /// The folder that prepared volumes are kept in; nil where they are prepared each time.
  package let cacheFolder: String?
  let preparer: SubjectPreparer
  /// The bytes of subjects that a rank has at work, and without a cache those that it keeps.
  let subjectBytes: Int

  /// Reads the data set's description and deals its subjects; images are read for `ct` only, on
  /// the root.
  ///
  /// - Parameter folder: the run's, beside which prepared volumes are kept unless
  ///   `data.cacheFolder` names a place; without both they are not kept.
  /// - Parameter readsImages: whether intensities are measured where a channel needs them; a setup
  ///   without them can plan a run but not train.
  /// - Throws: `ImagingError` for the data, `TrainingError` for a configuration that does not fit.
  package init(
    _ configuration: Configuration, world: Communicator, folder: RunFolder? = nil,
    readsImages: Bool = true
  ) throws {
    // The root looks first, so that a mistake is told once.
    if world.rank > 0 { try world.barrier() }
    try configuration.check(ranks: world.size)
    self.configuration = configuration
    // Our choice: a quarter of the host's memory for subjects; the rest is the network's.
    subjectBytes = HostMemory.bytes / 4 / world.localSize
    dataset = try Dataset.load(configuration.data.path, layout: configuration.data.layout)
      .labeled(configuration.data.labels)
    (training, validation) = try Self.split(dataset, configuration)
    scheme = LabelScheme(of: dataset, loss: configuration.criterion)
    let channels = dataset.channelNames.count
    model = try configuration.modelConfiguration(inputs: channels, outputs: scheme.outputs)
    _ = try configuration.preparation(channels: channels)
    if world.rank == 0 { try world.barrier() }
    // Each rank looks for itself: hosts may have copies of their own, with other times.
    let identities = Dictionary((training + validation).map { ($0, SourceIdentity(of: $0)) }) {
      first, _ in first
    }
    intensities =
      readsImages
      ? try Self.intensities(of: training, in: dataset, configuration, world: world) : []
    preparation = try configuration.preparation(channels: channels, statistics: intensities)
    preparer = SubjectPreparer(
      dataset: dataset, settings: preparation, identities: identities, bytes: subjectBytes)
    cacheFolder =
      configuration.data.cache == .disk
      ? configuration.data.cacheFolder ?? folder?.preparedVolumes : nil
  }

  /// Who trains and who validates.
  static func split(
    _ dataset: Dataset, _ configuration: Configuration
  ) throws -> (training: [Subject], validation: [Subject]) {
    let labelled = dataset.labeledSubjects
    let names = labelled.map(\.identifier)
    let split =
      if let splits = configuration.data.splits {
        try Folds.split(subjects: names, file: splits, fold: configuration.data.fold.index)
      } else if labelled.contains(where: { $0.fold != nil }) {
        try Folds.split(labelled, fold: configuration.data.fold.index)
      } else {
        try Folds.split(
          subjects: names, folds: configuration.data.folds, fold: configuration.data.fold.index)
      }
    let byName = Dictionary(labelled.map { ($0.identifier, $0) }) { first, _ in first }
    let training = split.training.compactMap { byName[$0] }
    guard !training.isEmpty else {
      throw TrainingError.configuration(
        "data.fold: no subject is left to train on among \(names.count) of "
          + "\(configuration.data.path); choose another fold or fewer folds")
    }
    return (training, split.validation.compactMap { byName[$0] })
  }

  /// The foreground's intensities where a channel needs them, measured by the root.
  private static func intensities(
    of subjects: [Subject], in dataset: Dataset, _ configuration: Configuration,
    world: Communicator
  ) throws -> [IntensityStatistics] {
    guard configuration.needsIntensityStatistics else { return [] }
    return try world.shared {
      try IntensityStatistics.measure(
        subjects, of: dataset, skipsBadData: configuration.data.onBadSubject == .skip)
    }
  }

  /// The plan of one epoch, counted from 0.
  package func epochPlan(_ epoch: Int, ranks: Int) -> EpochPlan {
    EpochPlan(
      subjects: training.count, stepsPerEpoch: configuration.training.stepsPerEpoch, ranks: ranks,
      accumulate: configuration.training.accumulate, seed: UInt64(configuration.seed),
      epoch: epoch)
  }

  /// What is left of the epoch in which a run stands, for this number of ranks.
  package func restOfEpoch(_ state: CheckpointState, ranks: Int) -> EpochPlan {
    let whole = epochPlan(state.epoch, ranks: ranks)
    guard state.patchesInEpoch > 0 else { return whole }
    return whole.rest(from: state.patchesInEpoch, of: state.patchesOfEpoch)
  }
}

extension Configuration.Fold {
  /// The fold's index; nil for `all`.
  package var index: Int? {
    if case .index(let index) = self { index } else { nil }
  }
}
