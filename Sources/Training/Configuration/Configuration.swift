import Imaging
import NN
import Tensors

/// Everything a run depends on: the contents of `lkdist.yaml` with every key's default filled in.
package struct Configuration: Equatable, Sendable {
  /// The run's name, part of its default folder `runs/<name>`.
  package var name = "hippocampus"
  /// The seed of every random stream, 0 or more.
  package var seed = 42
  package var data = Data()
  package var model = Model()
  package var loss = Loss()
  package var optimizer = Optimizer()
  package var schedule = ScheduleSettings()
  package var augmentation = AugmentationSettings()
  package var training = TrainingSettings()
  package var distributed = Distributed()
  /// What is done to predicted label maps, in this order.
  package var postprocessing: [Postprocessing] = []

  /// The defaults.
  package init() {}

  /// What is done to the predicted voxels of one class or region.
  package struct Postprocessing: Hashable, Sendable {
    /// The class's value or name, or the region's name.
    package var target: String
    /// Whether only the largest component stays.
    package var largestComponent = false
    /// Whether what it encloses is added.
    package var fillHoles = false
    /// The number of voxels below which all of it is taken away, 0 or more.
    package var minimumVoxels = 0

    package init(_ target: String) { self.target = target }
  }
}

extension Configuration {
  /// The data set, and how its volumes are prepared and cut into patches.
  package struct Data: Equatable, Sendable {
    /// The data set's folder or datalist, absolute once read; in a file relative to its folder.
    package var path = "Task04_Hippocampus"
    /// How the data set's files are laid out; nil to see it from the files.
    package var layout: DatasetLayout?
    /// The labels, background first, where the data set names none or others; nil for its own.
    package var labels: [DatasetLabel]?
    /// The number of folds, 2 or more.
    package var folds = 5
    package var fold = Fold.index(0)
    /// A `splits_final.json` that replaces the rule for folds, absolute once read; nil for none.
    package var splits: String?
    /// Voxel sizes along x, y, z in mm that volumes are resampled to; nil keeps the stored ones.
    package var spacing: [Double]? = [1, 1, 1]
    /// The directions of increasing x, y, z: one of R/L, one of A/P and one of S/I in any order.
    package var orientation = "RAS"
    /// Voxels of a patch along x, y, z of the prepared volume.
    package var patchSize = [64, 64, 64]
    /// The share of patches centred on a voxel of a random class that is present, 0 to 1.
    package var foregroundFraction = 0.33
    package var normalization = NormalizationChoice.all(.zscore)
    package var cache = Cache.disk
    /// The folder of prepared volumes, absolute once read; nil for one beside the run's folder.
    package var cacheFolder: String?
    package var onBadSubject = OnBadSubject.fail

    package init() {}
  }

  /// What is held out for validation.
  package enum Fold: Equatable, Sendable {
    /// The subjects of this fold, counted from 0.
    case index(Int)
    /// None: everything is trained on.
    case all
  }

  /// How intensities are brought to a common scale.
  package enum Normalization: Equatable, Sendable {
    case zscore, zscoreNonzero, ct, none
    /// Clips to lower...upper and scales that to [0, 1].
    case window(lower: Double, upper: Double)
  }

  /// One rule for all channels, or one for each.
  package enum NormalizationChoice: Equatable, Sendable {
    case all(Normalization)
    case perChannel([Normalization])
  }

  /// Where prepared volumes are kept.
  package enum Cache: String, CaseIterable, Sendable {
    /// On disk, one copy for all ranks of a node.
    case disk
    /// Nowhere: they are prepared each time.
    case none
  }

  /// What a subject with unusable files leads to.
  package enum OnBadSubject: String, CaseIterable, Sendable { case fail, skip }
}

extension Configuration {
  /// The network.
  package struct Model: Equatable, Sendable {
    package var attention = Attention.mid
    /// Channels of the finest scale, a multiple of 16 and of `groups`.
    package var channels = 32
    /// The number that doubling per scale stops at.
    package var maximumChannels = 512
    /// The number of resolutions; each halves the one before.
    package var scales = 6
    /// Groups of the group normalization.
    package var groups = 8
    package var precision = Precision.fast

    package init() {}
  }

  /// Where large-kernel attention is used, or CBAM in its place.
  package enum Attention: Equatable, Sendable {
    case none, mid, full, cbam
    case list([AttentionPlacement])
  }

  /// Large-kernel attention at one scale.
  package struct AttentionPlacement: Equatable, Sendable {
    /// The decoder's scale, 0 for the finest.
    package var scale: Int
    /// The size K in voxels of the kernel that is decomposed.
    package var kernelSize: Int
    /// The dilation d of the decomposition.
    package var dilation: Int
    /// Whether the kernel is decomposed; otherwise `dilation` does not count.
    package var decomposed: Bool

    package init(scale: Int, kernelSize: Int, dilation: Int, decomposed: Bool = true) {
      self.scale = scale
      self.kernelSize = kernelSize
      self.dilation = dilation
      self.decomposed = decomposed
    }
  }

  /// The loss.
  package struct Loss: Equatable, Sendable {
    package var kind = LossKind.diceCE

    package init() {}
  }

  /// The loss's formula.
  package enum LossKind: String, CaseIterable, Sendable {
    case diceCE = "dice-ce"
    case diceBCE = "dice-bce"
    case weightedDice = "weighted-dice"
  }
}

extension Configuration {
  /// The optimizer.
  package struct Optimizer: Equatable, Sendable {
    package var kind = OptimizerKind.adam
    /// The schedule's base, above 0.
    package var learningRate = 3.0e-4
    /// The decay of the first moment, 0 to below 1.
    package var beta1 = 0.9
    /// The decay of the second moment, 0 to below 1.
    package var beta2 = 0.999
    /// Added to the root of the second moment, above 0.
    package var epsilon = 1.0e-8
    /// Added to the gradient times the weight, as torch's Adam does, 0 or more.
    package var weightDecay = 0.0
    /// The L2 norm that gradients are clipped to, above 0; nil for no clipping.
    package var maximumGradientNorm: Double?
    /// Whether the moments are spread over the ranks.
    package var shard = false

    package init() {}
  }

  /// The optimizer's rule.
  package enum OptimizerKind: String, CaseIterable, Sendable { case adam }

  /// How the learning rate changes over the run.
  package struct ScheduleSettings: Equatable, Sendable {
    package var kind = ScheduleKind.poly
    /// The exponent of `poly`, 0 or more.
    package var power = 0.9
    /// Steps of linear warm-up, 0 or more.
    package var warmupSteps = 0
    package var scaleLearningRate = LearningRateScaling.none

    package init() {}
  }

  /// The shape of the schedule.
  package enum ScheduleKind: String, CaseIterable, Sendable { case poly, cosine, constant }

  /// How the base learning rate follows the global batch.
  package enum LearningRateScaling: String, CaseIterable, Sendable { case none, sqrt, linear }

  /// Random changes of the training patches.
  package struct AugmentationSettings: Equatable, Sendable {
    package var preset = Augmentation.Preset.default
    /// Replace the preset's transforms of the same kind, or are added to them.
    package var transforms: [Augmentation.Transform] = []

    package init() {}
  }
}

extension Configuration {
  /// The course of the run.
  package struct TrainingSettings: Equatable, Sendable {
    /// Epochs of the run, 1 or more.
    package var epochs = 200
    /// Steps of an epoch, 1 or more; nil for one patch per training subject.
    package var stepsPerEpoch: Int?
    /// Patches a rank sums gradients over in a step, 1 or more.
    package var accumulate = 1
    /// Epochs from one validation to the next, 1 or more.
    package var validateEvery = 1
    /// Epochs from one checkpoint to the next, 1 or more.
    package var checkpointEvery = 1
    /// Minutes from one checkpoint to the next within an epoch, above 0; nil for none there.
    package var checkpointMinutes: Double?
    /// The number of checkpoints kept to go on from, `last` included, 1 or more.
    package var keep = 1
    package var recompute = Recompute.none
    /// Steps with a gradient that is not finite before the run gives up, 0 or more.
    package var maximumBadSteps = 10
    /// Standard deviations above the recent gradient norms (of their logarithms) from which a step is
    /// skipped, above 0; nil for never. Our addition.
    package var outlierZScore: Double?

    package init() {}
  }

  /// How ranks work together.
  package struct Distributed: Equatable, Sendable {
    /// The size of a gradient bucket in MiB, above 0.
    package var bucketMiB = 4.0
    package var compression = Compression.none
    /// Whether the run's bits are the same for any number of ranks with equal ranks x accumulate.
    package var reproducible = false
    /// Seconds that a rank may make no progress before the job ends, 1 or more.
    package var timeoutSeconds = 600.0
    package var validation = ValidationPlace.root
    /// Steps from one comparison of the ranks' weights to the next, 1 or more.
    package var checkReplicasEvery = 50
    package var onReplicaMismatch = OnReplicaMismatch.stop

    package init() {}
  }

  /// What gradients are sent as.
  package enum Compression: String, CaseIterable, Sendable { case none, bf16 }

  /// The ranks that segment the validation subjects.
  package enum ValidationPlace: String, CaseIterable, Sendable { case root, all }

  /// What ranks with different weights lead to.
  package enum OnReplicaMismatch: String, CaseIterable, Sendable { case stop, repair }
}
