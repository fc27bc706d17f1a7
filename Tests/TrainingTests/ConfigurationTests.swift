import Files
import Imaging
import Testing

import Training

@Suite struct ConfigurationTests {
  private func parse(_ yaml: String, _ overrides: [String] = []) throws -> Configuration {
    try Configuration.parse(yaml, folder: "/runs", overrides: overrides)
  }

  @Test(arguments: ["", "# nothing\n", "data:\n", "{}"])
  func `keys left out have their defaults`(yaml: String) throws {
    var expected = Configuration()
    expected.data.path = "/runs/Task04_Hippocampus"
    let parsed = try parse(yaml)
    #expect(parsed == expected)
    #expect(parsed.name == "hippocampus")
    #expect(parsed.training.epochs == 200)
    #expect(parsed.optimizer.learningRate == 3e-4)
    #expect(parsed.distributed.bucketMiB == 4)
  }

  @Test func `the example of the contract is read`() throws {
    let configuration = try parse(
      """
      name: hippocampus
      seed: 42
      data:
        path: Task04_Hippocampus      # folder
        layout: auto
        folds: 5
        fold: 0
        spacing: [1, 1, 1]
        patchSize: [64, 64, 64]
        foregroundFraction: 0.33
        normalization: zscore
        cache: disk                   # disk | none
        cacheFolder: null
        onBadSubject: fail            # fail | skip
      model: {attention: mid, channels: 32, maximumChannels: 512, scales: 6, groups: 8, precision: fast}
      loss: {kind: dice-ce}
      optimizer: {kind: adam, learningRate: 3.0e-4, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-8, weightDecay: 0, maximumGradientNorm: null, shard: false}
      schedule: {kind: poly, power: 0.9, warmupSteps: 0, scaleLearningRate: none}
      training: {epochs: 200, stepsPerEpoch: null, accumulate: 1, validateEvery: 1, checkpointEvery: 1, checkpointMinutes: null, keep: 1, recompute: none, maximumBadSteps: 10, outlierZScore: null}
      distributed: {bucketMiB: 4, compression: none, reproducible: false, timeoutSeconds: 600, validation: root, checkReplicasEvery: 50, onReplicaMismatch: stop}
      postprocessing: []
      """)
    #expect(configuration == (try parse("")))
  }

  @Test func `values of every form are read`() throws {
    let configuration = try parse(
      """
      data:
        path: /data/Task
        fold: all
        splits: splits_final.json
        spacing: null
        normalization: [ct, {kind: window, lower: -100, upper: 250.5}, zscore-nonzero]
      model:
        attention:
          - {scale: 2, kernelSize: 21, dilation: 3, decomposed: true}
          - scale: 0
            kernelSize: 5
            dilation: 1
            decomposed: false
        precision: exact
      loss: {kind: weighted-dice}
      optimizer: {maximumGradientNorm: 12, shard: true}
      augmentation: {transforms: [{kind: mirror, axes: [x, z], probability: 0.5}]}
      training: {stepsPerEpoch: 7, recompute: blocks, outlierZScore: 4}
      distributed: {reproducible: true, timeoutSeconds: 30, checkReplicasEvery: 5, onReplicaMismatch: repair}
      """)
    #expect(configuration.model.precision == .exact)
    #expect(configuration.training.recompute == .blocks)
    #expect(configuration.data.path == "/data/Task")
    #expect(configuration.data.fold == .all)
    #expect(configuration.data.splits == "/runs/splits_final.json")
    #expect(configuration.data.spacing == nil)
    #expect(
      configuration.data.normalization
        == .perChannel([.ct, .window(lower: -100, upper: 250.5), .zscoreNonzero]))
    #expect(
      configuration.model.attention
        == .list([
          .init(scale: 2, kernelSize: 21, dilation: 3),
          .init(scale: 0, kernelSize: 5, dilation: 1, decomposed: false),
        ]))
    #expect(configuration.loss.kind == .weightedDice)
    #expect(configuration.optimizer.maximumGradientNorm == 12)
    #expect(configuration.optimizer.shard)
    #expect(configuration.training.outlierZScore == 4)
    #expect(configuration.distributed.reproducible)
    #expect(
      configuration.augmentation.transforms
        == [.mirror(Mirroring(axes: [.x, .z], probability: 0.5))])
    #expect(configuration.training.stepsPerEpoch == 7)
    #expect(configuration.distributed.timeoutSeconds == 30)
    #expect(configuration.distributed.checkReplicasEvery == 5)
    #expect(configuration.distributed.onReplicaMismatch == .repair)
  }

  private var everyTransform: [Augmentation.Transform] {
    [
      .mirror(Mirroring(axes: [.y], probability: 1)), .mirror(Mirroring(axes: [.x, .z])),
      .rotation(Rotation(degrees: 15)), .scaling(Scaling(factor: 0.9...1.1)),
      .elastic(Elastic(controlSpacing: 20, displacement: 1...2)),
      .biasField(BiasField(strength: 0.25)), .noise(Noise(variance: 0.01...0.02)),
      .blur(Blur(sigma: 0.5...0.75, channelProbability: 1)), .brightness(Brightness(factor: 1...2)),
      .contrast(Contrast(probability: 0.75)), .lowResolution(LowResolution(zoom: 0.25...1)),
      .invertedGamma(Gamma(probability: 0.5)), .gamma(Gamma(gamma: 0.5...2)),
    ]
  }

  private var unusual: Configuration {
    var configuration = Configuration()
    configuration.name = "true: a \"name\" # with\ttraps"
    configuration.seed = 7
    configuration.data.path = "/data/with space/ü\u{2028}"
    configuration.data.layout = .ctOrg
    configuration.data.labels = [
      DatasetLabel(value: 0, name: "null"), DatasetLabel(value: 300, name: "a: \"b\", c"),
    ]
    configuration.data.fold = .all
    configuration.data.splits = "/data/splits_final.json"
    configuration.data.spacing = [0.5, 1.25, 3]
    configuration.data.normalization = .perChannel([.window(lower: -1e-9, upper: 1e12), .none])
    configuration.model.attention = .list([.init(scale: 1, kernelSize: 7, dilation: 2)])
    configuration.optimizer.learningRate = 1.0 / 3
    configuration.optimizer.epsilon = 1e-8
    configuration.optimizer.maximumGradientNorm = 1e300
    configuration.schedule.kind = .cosine
    configuration.augmentation.transforms = everyTransform
    configuration.augmentation.preset = .light
    configuration.training.stepsPerEpoch = 3
    configuration.distributed.bucketMiB = 1.5
    configuration.distributed.compression = .bf16
    return configuration
  }

  @Test func `what is written is read back equal, as YAML and as JSON`() throws {
    for configuration in [unusual, try parse("")] {
      let yaml = configuration.commented(header: ["A header", "", "of three lines"])
      #expect(try parse(yaml) == configuration)
      #expect(try parse(yaml).commented(header: ["A header", "", "of three lines"]) == yaml)
      #expect(try parse(configuration.json.text) == configuration)
    }
  }

  @Test func `the written file has every key once with a comment`() throws {
    let lines = try parse("").commented().split(separator: "\n")
    #expect(lines.count == 63)
    #expect(lines.allSatisfy { $0.contains("# ") })
    #expect(lines.contains("  epochs: 200                     # of the whole run"))
    #expect(
      lines.contains("  epsilon: 1.0e-08                # added to the root of the second moment"))
  }

  @Test func `overrides replace, add and are relative to the working directory`() throws {
    let configuration = try parse(
      "training: {epochs: 3}\naugmentation:\n",
      [
        "training.epochs=9", "model.attention=[{scale: 1, kernelSize: 7, dilation: 2}]",
        "augmentation.transforms=[]", "data.path=here", "optimizer.maximumGradientNorm=null",
        "name=a=b",
      ])
    #expect(configuration.training.epochs == 9)
    #expect(configuration.model.attention == .list([.init(scale: 1, kernelSize: 7, dilation: 2)]))
    #expect(configuration.data.path == Paths.workingDirectory + "/here")
    #expect(configuration.name == "a=b")
  }

  @Test func `a file that does not know its size is read whole`() throws {
    // Under /proc as in a pipe, sizes are 0; this one is text of the form "key: value".
    let unknown = #expect(throws: TrainingError.self) {
      try Configuration.load("/proc/self/status")
    }
    #expect(unknown?.description.contains("unknown key 'Name'; did you mean 'name'?") == true)
  }

  @Test func `a missing file and an unreadable one are told apart`() throws {
    let missing = "no configuration at /nowhere/lkdist.yaml: write one with 'lkdist init DATA'"
    #expect(throws: TrainingError.missing(missing)) {
      try Configuration.load("/nowhere/lkdist.yaml")
    }
    #expect(throws: TrainingError.inputOutput("cannot read the configuration /tmp: Is a directory"))
    { try Configuration.load("/tmp") }
  }
}
