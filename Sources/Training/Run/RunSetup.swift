import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// What a run is made of, before anything is computed; the same on every rank.
package struct RunSetup: Sendable {
  package let configuration: Configuration
  package let dataset: Dataset
  package let training: [Subject]
  package let validation: [Subject]
  package let scheme: LabelScheme
  package let model: ModelConfiguration
  package let preparation: PreparationSettings
  /// The training foreground's intensities per channel; empty unless a channel needs them.
  package let intensities: [IntensityStatistics]
  /// The bytes of prepared subjects that a rank keeps; others are prepared again when needed.
  private let subjectBytes: Int

  /// Reads the data set's description and deals its subjects; images are read for `ct` only, on
  /// the root.
  ///
  /// - Throws: `ImagingError` for the data, `TrainingError` for a configuration that does not fit.
  package init(_ configuration: Configuration, world: Communicator) throws {
    // The root looks first, so that a mistake is told once.
    if world.rank > 0 { try world.barrier() }
    try configuration.check(ranks: world.size)
    self.configuration = configuration
    // Our choice: a quarter of the host's memory for subjects; the rest is the network's.
    subjectBytes = Int(ProcessInfo.processInfo.physicalMemory) / 4 / world.localSize
    dataset = try Dataset.load(configuration.data.path, layout: configuration.data.layout)
      .labeled(configuration.data.labels)
    (training, validation) = try Self.split(dataset, configuration)
    scheme = LabelScheme(of: dataset, loss: configuration.criterion)
    let channels = dataset.channelNames.count
    model = try configuration.modelConfiguration(inputs: channels, outputs: scheme.outputs)
    _ = try configuration.preparation(channels: channels)
    if world.rank == 0 { try world.barrier() }
    intensities =
      configuration.needsIntensityStatistics
      ? try Self.measureIntensities(of: training, in: dataset, world: world) : []
    preparation = try configuration.preparation(channels: channels, statistics: intensities)
  }

  private static func split(
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

  /// The foreground's intensities, measured by the root and sent to all.
  private static func measureIntensities(
    of subjects: [Subject], in dataset: Dataset, world: Communicator
  ) throws -> [IntensityStatistics] {
    var text = ""
    if world.rank == 0 {
      let statistics = try IntensityStatistics.measure(subjects, of: dataset)
      text = String(decoding: try JSONEncoder().encode(statistics), as: UTF8.self)
    }
    let shared = try world.broadcast(text)
    return try JSONDecoder().decode([IntensityStatistics].self, from: Data(shared.utf8))
  }

  /// The plan of one epoch, counted from 0.
  package func epochPlan(_ epoch: Int, ranks: Int) -> EpochPlan {
    EpochPlan(
      subjects: training.count, stepsPerEpoch: configuration.training.stepsPerEpoch, ranks: ranks,
      accumulate: configuration.training.accumulate, seed: UInt64(configuration.seed),
      epoch: epoch)
  }

  /// A store that prepares the given subjects when they are asked for and keeps what fits.
  package func store(of subjects: [Subject]) -> SubjectStore {
    let byName = Dictionary(subjects.map { ($0.identifier, $0) }) { first, _ in first }
    let (dataset, preparation) = (self.dataset, self.preparation)
    return SubjectStore(byteLimit: subjectBytes) { identifier throws(ImagingError) in
      guard let subject = byName[identifier] else {
        throw .missing("subject \(identifier) is not in \(dataset.name)")
      }
      return try Preparation.prepare(subject, dataset: dataset, settings: preparation)
    }
  }

  /// What is left of the epoch in which a run stands, for this number of ranks.
  package func restOfEpoch(_ state: CheckpointState, ranks: Int) -> EpochPlan {
    let whole = epochPlan(state.epoch, ranks: ranks)
    guard state.patchesInEpoch > 0 else { return whole }
    return whole.rest(from: state.patchesInEpoch, of: state.patchesOfEpoch)
  }

  /// The loader of the patches that `feed` asks for.
  package func loader(of feed: PatchFeed, threads: Int = 1) -> PatchLoader {
    let sampler = configuration.sampler
    let store = store(of: training)
    let names = training.map(\.identifier)
    return PatchLoader(threads: threads, requests: feed) { request throws(ImagingError) in
      let subject = try store.subject(names[request.subject])
      return sampler.sample(subject, epoch: request.epoch, position: request.position)
    }
  }
}

extension Configuration.Fold {
  /// The fold's index; nil for `all`.
  package var index: Int? {
    if case .index(let index) = self { index } else { nil }
  }
}
