import Collectives
import Imaging
import Kernels
import NN
import Tensors

/// Segments new images with trained checkpoints.
package struct Predictor {
  /// A subject's label map on its own grid.
  struct Prediction {
    let labelMap: LabelMap
    let maps: Maps
  }

  /// What goes with a label map on the same grid, if it was asked for.
  struct Maps {
    var probabilities: OwnGridVolume?
    /// The channels of `Predictor.attention`.
    var attention: OwnGridVolume?
  }

  private let segmenter: Segmenter
  private let preparations: [PreparationSettings]
  private let dataset: Dataset
  private let steps: [PostprocessingStep]
  private let share: WindowShare
  /// What is read of the networks' attention gates.
  var attention: [AttentionChannel] { segmenter.attention }
  /// What a user should know of the checkpoints.
  let notes: [String]

  /// Loads checkpoints of one data set, whose probabilities will be averaged.
  ///
  /// - Parameters:
  ///   - overlap: the share of a window that its neighbor covers again, in 0..<1.
  ///   - mirrors: whether the mean is over all mirror images as well.
  ///   - attention: the channels that are read of attention gates besides their mean; nil to read none.
  ///   - share: the ranks that compute a volume's windows.
  /// - Throws: `TrainingError` naming the checkpoint that is missing, damaged or does not fit.
  package init(
    checkpoints: [String], overlap: Double, mirrors: Bool = false, attention: [Int]? = nil,
    share: WindowShare = .own, on compute: Compute
  ) throws(TrainingError) {
    var models: [TrainedModel] = []
    for path in checkpoints {
      let trained = try TrainedModel(path, on: compute)
      if let first = models.first {
        guard first.scheme == trained.scheme, first.inputs == trained.inputs else {
          throw .configuration(
            "\(path) was trained on other labels or channels than \(checkpoints[0])")
        }
      }
      models.append(trained)
    }
    guard let first = models.first else { throw .configuration("no checkpoint to predict with") }
    dataset = first.dataset
    preparations = models.map(\.preparation)
    steps = first.postprocessing
    self.share = share
    notes =
      models.allSatisfy { $0.postprocessing == first.postprocessing }
      ? [] : ["the checkpoints differ in postprocessing; that of \(checkpoints[0]) is used"]
    segmenter = Segmenter(
      models.map { Segmenter.Member(model: $0.model, patch: $0.patch) }, scheme: first.scheme,
      overlap: overlap, mirrors: mirrors,
      attention: try Self.attention(attention, of: zip(checkpoints, models)), share: share,
      on: compute)
  }

  /// What is read of all networks' gates, which must be the same ones.
  ///
  /// - Throws: `configuration` for networks without gates, with other gates or without a channel.
  private static func attention(
    _ channels: [Int]?, of models: Zip2Sequence<[String], [TrainedModel]>
  ) throws(TrainingError) -> [AttentionChannel] {
    guard let channels else { return [] }
    let readouts = [.attention] + channels.map { AttentionReadout.channel($0) }
    var all: (path: String, found: [AttentionChannel])?
    for (path, trained) in models {
      let model = trained.model.configuration
      guard let most = model.gates.map({ model.channels(atScale: $0.scale) }).max() else {
        throw .configuration(
          "\(path) has no large-kernel attention to show; leave --save-attention out")
      }
      if let channel = channels.first(where: { $0 >= most }) {
        throw .configuration(
          "--attention-channels \(channel): the attention of \(path) has channels 0 to \(most - 1)")
      }
      let found = model.attentionChannels(readouts)
      if let all, all.found != found {
        throw .configuration(
          "\(path) has attention at other scales or of other channels than \(all.path): their maps "
            + "have no mean; leave --save-attention out, or show one checkpoint at a time")
      }
      all = all ?? (path, found)
    }
    return all?.found ?? []
  }

  /// How a subject is segmented.
  struct Request {
    let subject: Subject
    /// The folders for probabilities and attention that memory does not hold; nil where none are
    /// wanted.
    var probabilityFolder: String?
    var attentionFolder: String?
    var memory: MemoryLimit
    /// Told the number of windows when it is known, then of each window that is done.
    var willRun: (_ windows: Int) -> Void = { _ in }
    var didWindow: () -> Void = {}
    /// Told what a user should know of the subject.
    var note: (String) -> Void = { _ in }
  }

  /// Another rank could not go on with a subject, and says why itself.
  struct FailedElsewhere: Error {}

  /// The label map of a subject on its own grid, nil on ranks that only help. Collective where ranks
  /// share the windows.
  ///
  /// - Parameter begin: is called first; where it throws, no rank begins.
  /// - Throws: `ImagingError` or `TrainingError` for the subject, what `begin` throws, or
  ///   `FailedElsewhere`, so that all ranks fail together; `CommunicationError`.
  func predict(_ request: Request, begin: () throws -> Void = {}) throws -> Prediction? {
    let subjects = try agree {
      try begin()
      return try prepare(request)
    }
    let first = subjects[0]
    let demand = segmenter.demand(of: first.extent)
    let planes = try agree { try self.planes(demand, of: first, request) }
    let bands = demand.bands(of: try share.agree(on: planes))
    let maps = try agree { try self.maps(of: first, request, demand.bytes(planes: planes)) }
    var painter = LabelMapPainter(
      segmenter.scheme, path: first.path, probabilities: maps.probabilities,
      attention: maps.attention, on: segmenter.compute)
    request.willRun(segmenter.windows(of: first.extent))
    try segmenter.segment(subjects.map(\.image), bands: bands, didWindow: request.didWindow) {
      painter.paint($0, $1)
    }
    guard share.isRoot else { return nil }
    var map = painter.finish()
    for step in steps { step.apply(to: &map) }
    return Prediction(labelMap: map, maps: maps)
  }

  /// What `body` makes, if it makes it on every rank that takes part.
  private func agree<Result>(_ body: () throws -> Result) throws -> Result {
    let result = Swift.Result(catching: body)
    let isGood = if case .success = result { true } else { false }
    guard try share.isTrueForAll(isGood) || !isGood else { throw FailedElsewhere() }
    return try result.get()
  }

  /// The subject as each network wants it, prepared once for those that want the same.
  private func prepare(_ request: Request) throws -> [PreparedSubject] {
    try PredictionInput(request.subject, channels: dataset.channelNames.count)
      .check(preparations[0], memory: request.memory, note: request.note)
    var prepared: [PreparationSettings: PreparedSubject] = [:]
    for settings in preparations where prepared[settings] == nil {
      prepared[settings] = try Preparation.prepare(
        request.subject, dataset: dataset, settings: settings)
    }
    let subjects = preparations.compactMap { prepared[$0] }
    guard subjects.allSatisfy({ $0.path == subjects[0].path }) else {
      throw ImagingError.configuration(
        "the checkpoints prepare images differently and cannot be averaged")
    }
    return subjects
  }

  // MARK: - Memory

  /// The planes that are made final at a time, as the root can.
  private func planes(
    _ demand: BandDemand, of subject: PreparedSubject, _ request: Request
  ) throws -> Int {
    guard share.isRoot else { return 0 }
    let later = bytesAfterwards(subject)
    // The networks' own memory counts as soon as they have run.
    if demand.bytes(planes: subject.extent.depth) > (request.memory.left - later) / 2 {
      segmenter.warmUp()
    }
    let left = request.memory.left - later
    if let planes = demand.planes(within: left) { return planes }
    guard request.memory.isStrict else { return demand.thinnest }
    let allowed = request.memory.bytes
    let needed = allowed - left + demand.bytes(planes: demand.thinnest)
    throw TrainingError.configuration(
      "--memory-limit: at least \(needed >> 20) MiB are needed, more than the \(allowed >> 20) MiB "
        + "allowed; raise the limit, or use fewer checkpoints, no --mirror or no --save-attention")
  }

  /// The label map, the copy that is written or what post-processing takes, and our choice of 64 MiB
  /// for what is not counted.
  private func bytesAfterwards(_ subject: PreparedSubject) -> Int {
    (steps.isEmpty ? 3 : 9) * subject.path.stored.extent.voxels + (64 << 20)
  }

  /// Where what was asked for is kept: in memory if it fits besides the `demand` in bytes and the rest.
  private func maps(of subject: PreparedSubject, _ request: Request, _ demand: Int) throws -> Maps {
    guard share.isRoot else { return Maps() }
    let stored = subject.path.stored
    var taken = demand + bytesAfterwards(subject)
    func volume(_ channels: Int, _ folder: String?) throws -> OwnGridVolume? {
      guard let folder, channels > 0 else { return nil }
      taken += OwnGridVolume.bytes(channels: channels, stored)
      return try OwnGridVolume(
        channels: channels, geometry: stored, in: taken <= request.memory.left ? nil : folder)
    }
    return Maps(
      probabilities: try volume(segmenter.scheme.outputs, request.probabilityFolder),
      attention: try volume(attention.count, request.attentionFolder))
  }
}
