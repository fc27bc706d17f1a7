import Imaging

/// The keys of `lkdist.yaml`: their names, what they may hold, and the comment they are written with.
extension Configuration {
  static var schema: Schema<Configuration> {
    Schema(fields: [
      Field("name", \.name, name, "the run's name; results go to runs/<name>"),
      Field("seed", \.seed, .integer(atLeast: 0), "the same seed gives the same run"),
      Field("data", \.data, dataSchema, "the data set and its patches"),
      Field("model", \.model, modelSchema, "the network"),
      Field(
        "loss", \.loss, Schema(fields: [Field("kind", \.kind, .choice(), LossKind.list)]),
        "what is minimized"),
      Field("optimizer", \.optimizer, optimizerSchema, "how weights follow gradients"),
      Field("schedule", \.schedule, scheduleSchema, "how the learning rate changes"),
      Field("augmentation", \.augmentation, augmentationSchema, "random changes of patches"),
      Field("training", \.training, trainingSchema, "the course of the run"),
      Field("distributed", \.distributed, distributedSchema, "how ranks work together"),
      Field(
        "postprocessing", \.postprocessing, .postprocessing,
        "of predict: [{class: 1, largestComponent: true, fillHoles: true, minimumVoxels: 0}, ...]"),
    ])
  }

  private static var name: Codec<String> {
    Codec.text("a name").checked("a name without '/'") {
      !$0.contains("/") && $0 != "." && $0 != ".."
    }
  }

  private static var dataSchema: Schema<Data> {
    Schema(fields: [
      Field("path", \.path, .path("a folder"), "folder or datalist, relative to this file"),
      Field(
        "layout", \.layout, .choice(orNil: "auto"),
        "auto | msd | nnunet | brats2020 | ct-org | datalist"),
      Field(
        "labels", \.labels, Codec.labels.optional,
        "null: those of the data set; else {background: 0, liver: 1, ...}"),
      Field("folds", \.folds, .integer(atLeast: 2), "subject i is held out in fold i mod folds"),
      Field("fold", \.fold, .fold, "0..folds-1 | all (train on everything)"),
      Field(
        "splits", \.splits, Codec.path("a file").optional,
        "a splits_final.json instead of folds, relative to this file"),
      Field("spacing", \.spacing, spacing, "mm along x, y, z; null keeps the stored one"),
      Field("orientation", \.orientation, orientation, "where x, y, z point: RAS, LPS, ..."),
      Field(
        "patchSize", \.patchSize, patchSize, "voxels along x, y, z: multiples of 2^(scales-1)"),
      Field(
        "foregroundFraction", \.foregroundFraction, .fraction, "share of patches on a structure"),
      Field(
        "normalization", \.normalization, .normalizationChoice,
        "zscore | zscore-nonzero | ct | {kind: window, lower, upper} | none; a list per channel"),
      Field(
        "cache", \.cache, .choice(),
        "disk (prepared once, shared by a node's ranks) | none (prepared each time)"),
      Field(
        "cacheFolder", \.cacheFolder, Codec.path("a folder").optional,
        "of prepared volumes, relative to this file; null for 'prepared' beside the run"),
      Field(
        "onBadSubject", \.onBadSubject, .choice(),
        "fail | skip (all are read before the first epoch, bad ones are logged and left out)"),
    ])
  }

  private static var spacing: Codec<[Double]?> {
    let what = "three sizes in mm above 0, [x, y, z], or null"
    return Codec.any.list(what).checked(what) { $0.count == 3 && $0.allSatisfy { $0 > 0 } }
      .optional
  }

  private static var patchSize: Codec<[Int]> {
    let what = "three whole numbers of at least 1, [x, y, z]"
    return Codec.integer(atLeast: 1).list(what).checked(what) { $0.count == 3 }
  }

  private static var orientation: Codec<String> {
    let what = "three letters, one each of R/L, A/P and S/I, such as RAS"
    return Codec.text(what).checked(what) { text in
      let pairs = ["RL", "AP", "SI"]
      return text.count == 3
        && pairs.allSatisfy { pair in text.count(where: { pair.contains($0) }) == 1 }
    }
  }

  private static var modelSchema: Schema<Model> {
    Schema(fields: [
      Field(
        "attention", \.attention, .attention,
        "none | mid | full | cbam | [{scale: 2, kernelSize: 21, dilation: 3, decomposed: true}, ...]"
      ),
      Field("channels", \.channels, .integer(atLeast: 1), "of the finest scale"),
      Field(
        "maximumChannels", \.maximumChannels, .integer(atLeast: 1),
        "channels double per scale up to this"),
      Field("scales", \.scales, .integer(atLeast: 1), "resolutions; each halves the one before"),
      Field("groups", \.groups, .integer(atLeast: 1), "of the group normalization"),
      Field("precision", \.precision, .choice(), "fast"),
    ])
  }

  private static var optimizerSchema: Schema<Optimizer> {
    Schema(fields: [
      Field("kind", \.kind, .choice(), "adam"),
      Field("learningRate", \.learningRate, .positive, "the schedule's base"),
      Field("beta1", \.beta1, .belowOne, "decay of the first moment"),
      Field("beta2", \.beta2, .belowOne, "decay of the second moment"),
      Field("epsilon", \.epsilon, .positive, "added to the root of the second moment"),
      Field("weightDecay", \.weightDecay, .notNegative, "added to the gradient"),
      Field(
        "maximumGradientNorm", \.maximumGradientNorm, Codec.positive.optional,
        "gradients are clipped to it; null for never"),
      Field("shard", \.shard, .flag, "true: each rank keeps a share of Adam's moments"),
    ])
  }

  private static var scheduleSchema: Schema<ScheduleSettings> {
    Schema(fields: [
      Field("kind", \.kind, .choice(), ScheduleKind.list),
      Field("power", \.power, .notNegative, "exponent of poly"),
      Field("warmupSteps", \.warmupSteps, .integer(atLeast: 0), "steps of linear warm-up"),
      Field(
        "scaleLearningRate", \.scaleLearningRate, .choice(),
        LearningRateScaling.list + ", in the global batch"),
    ])
  }

  private static var augmentationSchema: Schema<AugmentationSettings> {
    Schema(fields: [
      Field("preset", \.preset, .choice(), Augmentation.Preset.list),
      Field(
        "transforms", \.transforms, .transforms,
        "replace or join the preset's: [{kind: mirror, axes: [x], probability: 0.5}]"),
    ])
  }

  private static var trainingSchema: Schema<TrainingSettings> {
    Schema(fields: [
      Field("epochs", \.epochs, .integer(atLeast: 1), "of the whole run"),
      Field(
        "stepsPerEpoch", \.stepsPerEpoch, Codec.integer(atLeast: 1).optional,
        "null for one patch per training subject"),
      Field("accumulate", \.accumulate, .integer(atLeast: 1), "patches per rank and step"),
      Field("validateEvery", \.validateEvery, .integer(atLeast: 1), "epochs"),
      Field("checkpointEvery", \.checkpointEvery, .integer(atLeast: 1), "epochs"),
      Field(
        "checkpointMinutes", \.checkpointMinutes, Codec.positive.optional,
        "and this long after the last one; null for never"),
      Field(
        "keep", \.keep, .integer(atLeast: 1), "checkpoints to go on from: last, last-1, ..."),
      Field("recompute", \.recompute, .choice(), "none"),
      Field(
        "maximumBadSteps", \.maximumBadSteps, .integer(atLeast: 0),
        "skipped steps in a row before giving up"),
      Field(
        "outlierZScore", \.outlierZScore, Codec.positive.optional,
        "skip steps whose gradient norm lies so many deviations above the last 50; null for never"),
    ])
  }

  private static var distributedSchema: Schema<Distributed> {
    Schema(fields: [
      Field("bucketMiB", \.bucketMiB, .positive, "gradients are sent in pieces of this size"),
      Field(
        "compression", \.compression, .choice(),
        "none | bf16 (gradients sent in half the bytes, rounding made good in later steps)"),
      Field(
        "reproducible", \.reproducible, .flag,
        "true: the same bits for any ranks of equal ranks x accumulate"),
      Field(
        "timeoutSeconds", \.timeoutSeconds, .number("a number of at least 1") { $0 >= 1 },
        "without progress of a rank before the job ends"),
      Field(
        "validation", \.validation, .choice(),
        "root (the other ranks sleep) | all (subjects are dealt to the ranks)"),
      Field(
        "checkReplicasEvery", \.checkReplicasEvery, .integer(atLeast: 1),
        "steps between comparisons of the ranks' weights"),
      Field(
        "onReplicaMismatch", \.onReplicaMismatch, .choice(),
        "stop | repair (send the majority's weights to all)"),
    ])
  }
}

extension CaseIterable where Self: RawRepresentable<String> {
  /// The names as a comment lists them.
  fileprivate static var list: String { allCases.map(\.rawValue).joined(separator: " | ") }
}
