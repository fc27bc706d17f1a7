import Collectives
import Imaging
import Kernels
import NN
import Tensors

/// What the other modules make of a configuration.
extension Configuration {
  /// The loss function.
  package var criterion: NN.Loss {
    switch loss.kind {
    case .diceCE: .diceCE
    case .diceBCE: .diceBCE
    case .weightedDice: .weightedDice
    }
  }

  /// The patch's extent; `data.patchSize` is x, y, z.
  package var patchExtent: Extent { Extent(xyz: data.patchSize) }

  /// The network for images of `inputs` channels and logits of `outputs`.
  ///
  /// - Throws: `configuration` when the model or the patch size is outside the model domain.
  package func modelConfiguration(
    inputs: Int, outputs: Int
  ) throws(TrainingError) -> ModelConfiguration {
    let result = ModelConfiguration(
      inputs: inputs, outputs: outputs, attention: attentionPlacements, channels: model.channels,
      maximumChannels: model.maximumChannels, scales: model.scales, groups: model.groups)
    do throws(ModelError) { try result.validate(patch: patchExtent) } catch {
      throw .configuration("\(error)")
    }
    return result
  }

  private var attentionPlacements: [NN.AttentionPlacement] {
    switch model.attention {
    case .none: ModelConfiguration.none
    case .mid: ModelConfiguration.mid(scales: model.scales)
    case .full: ModelConfiguration.full(scales: model.scales)
    case .cbam: ModelConfiguration.cbam(scales: model.scales)
    case .list(let list):
      list.map {
        NN.AttentionPlacement(
          scale: $0.scale, kernelSize: $0.kernelSize, dilation: $0.dilation,
          kind: $0.decomposed ? .decomposed : .whole)
      }
    }
  }

  /// How subjects are prepared; `statistics` holds the training foreground's for each channel.
  ///
  /// - Throws: `configuration` when a list of normalizations does not fit the channels.
  package func preparation(
    channels: Int, statistics: [IntensityStatistics] = []
  ) throws(TrainingError) -> PreparationSettings {
    let choices: [Normalization]
    switch data.normalization {
    case .all(let one): choices = Array(repeating: one, count: channels)
    case .perChannel(let list): choices = list
    }
    guard choices.count == channels else {
      throw .configuration(
        "data.normalization: \(choices.count) entries for images of \(channels) channels")
    }
    return PreparationSettings(
      orientation: data.orientation, spacing: data.spacing,
      normalization: choices.enumerated().map { channel, choice in
        choice.prepared(with: statistics.isEmpty ? nil : statistics[channel])
      })
  }

  /// Whether a channel is normalized by statistics of the training subjects' foreground.
  package var needsIntensityStatistics: Bool {
    switch data.normalization {
    case .all(let one): one == .ct
    case .perChannel(let list): list.contains(.ct)
    }
  }

  /// The optimizer of the values in `ranges` of the flat block.
  package func adam(over ranges: [Range<Int>]) -> Adam {
    Adam(
      over: ranges, beta1: optimizer.beta1, beta2: optimizer.beta2, epsilon: optimizer.epsilon,
      weightDecay: optimizer.weightDecay)
  }

  /// The learning rate over a run whose steps take `globalBatch` patches.
  package func learningRates(globalBatch: Int) -> Schedule {
    Schedule(
      kind: Schedule.Kind(rawValue: schedule.kind.rawValue) ?? .poly,
      base: optimizer.learningRate, power: schedule.power, warmupSteps: schedule.warmupSteps,
      scaling: Schedule.Scaling(rawValue: schedule.scaleLearningRate.rawValue) ?? .none,
      globalBatch: globalBatch)
  }

  /// Floats of a bucket of gradients, at most 1 GiB: whole runs of a norm, so that ranks can have shards
  /// of it.
  package var bucketFloats: Int {
    let runs = min(distributed.bucketMiB, 1024) * 1_048_576 / 4 / Double(FlatBlock.run)
    return FlatBlock.run * max(1, Int(runs.rounded()))
  }

  /// Which of `count` moments each of `ranks` keeps; nil if every rank keeps all.
  package func shards(of count: Int, ranks: Int) -> ShardLayout? {
    guard optimizer.shard && ranks > 1 else { return nil }
    return ShardLayout(
      GradientReducer.bounds(of: count, bucketFloats: bucketFloats), ranks: ranks,
      unit: FlatBlock.run)
  }

  /// Checks what depends on the number of ranks.
  ///
  /// - Throws: `configuration` for samples that ranks cannot sum in one tree, or not exactly.
  package func check(ranks: Int) throws(TrainingError) {
    if distributed.reproducible && distributed.compression != .none {
      throw .configuration(
        "distributed.compression: \(distributed.compression.rawValue) rounds each rank's gradients, so "
          + "that distributed.reproducible: true cannot hold; use compression: none")
    }
    let accumulate = training.accumulate
    guard distributed.reproducible, ranks > 1, accumulate.nonzeroBitCount != 1 else { return }
    throw .configuration(
      "training.accumulate: \(accumulate) patches a rank do not fill a branch of the tree that "
        + "distributed.reproducible: true sums \(ranks) ranks in; use 1, 2, 4, 8, ... or one rank")
  }

  /// How the sampler cuts and changes training patches.
  package var sampler: PatchSampler {
    PatchSampler(
      patchExtent: patchExtent, foregroundFraction: data.foregroundFraction,
      augmentation: Augmentation(
        preset: augmentation.preset, transforms: augmentation.transforms), seed: UInt64(seed))
  }
}

extension Configuration.Normalization {
  fileprivate func prepared(with statistics: IntensityStatistics?) -> Normalization {
    switch self {
    case .zscore: .zscore
    case .zscoreNonzero: .zscoreNonzero
    case .ct: .ct(statistics)
    case .window(let lower, let upper): .window(lower: lower, upper: upper)
    case .none: .none
    }
  }
}

extension Configuration.Compression {
  /// The sum of buckets that sends gradients this way, for a block of `count` of them.
  ///
  /// - Parameter shards: those that ranks need, if not all.
  package func sum(count: Int, keeping shards: ShardLayout? = nil) -> any BucketSum {
    switch self {
    case .none: PlainSum(keeping: shards)
    case .bf16: CompressedSum(count: count)
    }
  }
}
