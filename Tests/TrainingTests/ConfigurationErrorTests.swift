import Testing

import Training

/// Every refusal names the file and line (or the argument), the key, and what is valid.
@Suite struct ConfigurationErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let yaml: String
    let message: String
    var testDescription: String { yaml }

    init(_ yaml: String, _ message: String) {
      self.yaml = yaml
      self.message = message
    }
  }

  private func message(_ yaml: String, _ overrides: [String] = []) -> String? {
    do {
      _ = try Configuration.parse(yaml, overrides: overrides)
      return nil
    } catch {
      #expect(error.exitCode == .configuration)
      return error.description
    }
  }

  static let wrongKeys = [
    Case(
      "name: a\nsede: 3",
      "lkdist.yaml, line 2: unknown key 'sede'; did you mean 'seed'? (keys here: name, seed, data, "
        + "model, loss, optimizer, schedule, augmentation, training, distributed, postprocessing)"),
    Case(
      "training:\n  epochs: 2\n  acumulate: 3",
      "lkdist.yaml, line 3: unknown key 'training.acumulate'; did you mean 'training.accumulate'? "
        + "(keys here: epochs, stepsPerEpoch, accumulate, validateEvery, checkpointEvery, "
        + "checkpointMinutes, keep, recompute, maximumBadSteps, outlierZScore)"),
    Case(
      "loss:\n  beta1: 3",
      "lkdist.yaml, line 2: unknown key 'loss.beta1'; did you mean 'optimizer.beta1'? (keys here: "
        + "kind)"),
    Case(
      "model: {attention: [{scale: 1, kernel: 7}]}",
      "lkdist.yaml, line 1: unknown key 'model.attention[0].kernel'; did you mean "
        + "'model.attention[0].kernelSize'? (keys here: scale, kernelSize, dilation, decomposed)"),
    Case(
      "seed: 1\nname: a\nseed: 2",
      "lkdist.yaml, line 1: duplicate key 'seed'; keep one of them"),
    Case(
      "data:\n  fold: 1\n  fold: 2",
      "lkdist.yaml, line 2: duplicate key 'fold'; keep one of them"),
    Case(
      "model: {attention: [{scale: 1, dilation: 3}]}",
      "lkdist.yaml, line 1: model.attention[0]: the key 'kernelSize' is missing"),
  ]

  static let wrongValues = [
    Case("seed: many", "seed: expected a whole number of at least 0, found 'many'"),
    Case("seed: '3'", "seed: expected a whole number of at least 0, found '3'"),
    Case("seed: -1", "seed: expected a whole number of at least 0, found '-1'"),
    Case("name:", "name: expected a name, found nothing"),
    Case("name: a/b", "name: expected a name without '/', found 'a/b'"),
    Case(
      "data: {layout: nnu-net}",
      "data.layout: unknown value 'nnu-net'; did you mean 'nnunet'? (auto, msd, nnunet, brats2020, "
        + "ct-org or datalist)"),
    Case(
      "data: {labels: [a]}",
      "data.labels: expected names with label values, {background: 0, liver: 1, ...}, found a list"
    ),
    Case(
      "data: {labels: {a: 1, b: 2}}",
      "data.labels: labels need 0 (background) and at least one other, each value once, up to 32767"
    ),
    Case(
      "data: {labels: {a: 0, b: x}}",
      "data.labels.b: expected a whole number of at least 0, found 'x'"),
    Case("data: {folds: 1}", "data.folds: expected a whole number of at least 2, found '1'"),
    Case(
      "data: {fold: one}", "data.fold: expected a whole number of at least 0, or all, found 'one'"),
    Case("data: {fold: 5}", "data.fold: fold 5 of 5 folds: choose 0..4 or all"),
    Case(
      "data: {spacing: [1, 1]}",
      "data.spacing: expected three sizes in mm above 0, [x, y, z], or null, found a list"),
    Case(
      "data: {spacing: [1, 0, 1]}",
      "data.spacing: expected three sizes in mm above 0, [x, y, z], or null, found a list"),
    Case("data: {spacing: [1, a, 1]}", "data.spacing[1]: expected a number, found 'a'"),
    Case(
      "data: {orientation: RRS}",
      "data.orientation: expected three letters, one each of R/L, A/P and S/I, such as RAS, "
        + "found 'RRS'"),
    Case(
      "data: {patchSize: 64}",
      "data.patchSize: expected three whole numbers of at least 1, [x, y, z], found '64'"),
    Case(
      "data: {foregroundFraction: 1.5}",
      "data.foregroundFraction: expected a number from 0 to 1, found '1.5'"),
    Case(
      "data: {foregroundFraction: .nan}",
      "data.foregroundFraction: expected a number from 0 to 1, found '.nan'"),
    Case(
      "data: {normalization: zscor}",
      "data.normalization: unknown value 'zscor'; did you mean 'zscore'? (zscore, zscore-nonzero, "
        + "ct, none or {kind: window, lower: L, upper: U})"),
    Case(
      "data: {normalization: {kind: window, lower: 2, upper: 1}}",
      "data.normalization: lower must be below upper"),
    Case("data: {normalization: []}", "data.normalization: the list has no channel"),
    Case(
      "model: {attention: middle}",
      "model.attention: unknown value 'middle'; did you mean 'mid'? (none, mid, full, cbam or a list "
        + "of {scale, kernelSize, dilation})"),
    Case(
      "loss: {kind: dice}",
      "loss.kind: unknown value 'dice'; did you mean 'dice-ce'? (dice-ce, dice-bce or "
        + "weighted-dice)"),
    Case(
      "loss: {kind: [a]}",
      "loss.kind: expected dice-ce, dice-bce or weighted-dice, found a list"),
    Case(
      "optimizer: {learningRate: 0}",
      "optimizer.learningRate: expected a number above 0, found '0'"),
    Case(
      "optimizer: {beta2: 1}", "optimizer.beta2: expected a number from 0 to below 1, found '1'"),
    Case("optimizer: {shard: no}", "optimizer.shard: expected true or false, found 'no'"),
    Case(
      "augmentation: {transforms: [{kind: miror, axes: [x], probability: 1}]}",
      "augmentation.transforms[0].kind: unknown value 'miror'; did you mean 'mirror'? "
        + "(rotation, scaling, elastic, noise, blur, low-resolution, bias-field, brightness, "
        + "contrast, inverted-gamma, gamma or mirror)"),
    Case(
      "augmentation: {transforms: [{kind: mirror, axes: [x, x], probability: 1}]}",
      "augmentation.transforms[0].axes: expected a list of different axes of x, y and z, found a "
        + "list"),
    Case(
      "augmentation: {transforms: [{kind: noise}, {kind: blur}, {kind: noise}]}",
      "augmentation.transforms: noise is listed twice; keep one of them"),
    Case(
      "augmentation: {transforms: [{kind: mirror, axes: [x]}, {kind: mirror, axes: [z, x]}]}",
      "augmentation.transforms: mirror is listed twice; keep one of them"),
    Case(
      "augmentation: {transforms: [{probability: 1}]}",
      "augmentation.transforms[0]: the key 'kind' is missing"),
    Case(
      "augmentation: {transforms: [noise]}",
      "augmentation.transforms[0]: expected {kind: mirror, ...}, found 'noise'"),
    Case(
      "augmentation: {transforms: [{kind: scaling, factor: [1.4, 0.7]}]}",
      "augmentation.transforms[0].factor: expected two numbers above 0, [low, high], found a list"),
    Case(
      "augmentation: {transforms: [{kind: low-resolution, zoom: [0.5, 2]}]}",
      "augmentation.transforms[0].zoom: expected two numbers above 0 and up to 1, [low, high], "
        + "found a list"),
    Case(
      "augmentation: {transforms: [{kind: noise, sigma: 1}]}",
      "unknown key 'augmentation.transforms[0].sigma'; did you mean "
        + "'augmentation.transforms[0].variance'? (keys here: probability, variance)"),
    Case(
      "augmentation: {preset: lite}",
      "augmentation.preset: unknown value 'lite'; did you mean 'none'? (none, light or default)"),
    Case(
      "training: {epochs: 0}", "training.epochs: expected a whole number of at least 1, found '0'"),
    Case(
      "training: {epochs: 1.5}",
      "training.epochs: expected a whole number of at least 1, found '1.5'"),
    Case(
      "training: {epochs: null}",
      "training.epochs: expected a whole number of at least 1, found nothing"),
    Case(
      "distributed: {timeoutSeconds: 0.5}",
      "distributed.timeoutSeconds: expected a number of at least 1, found '0.5'"),
    Case(
      "distributed: {checkReplicasEvery: 0}",
      "distributed.checkReplicasEvery: expected a whole number of at least 1, found '0'"),
    Case(
      "distributed: {onReplicaMismatch: ignore}",
      "distributed.onReplicaMismatch: unknown value 'ignore'; did you mean 'stop'? "
        + "(stop or repair)"),
  ]

  static let wrongPostprocessing = [
    Case(
      "postprocessing: [{largestComponent: true}]",
      "postprocessing[0]: the key 'class' is missing"),
    Case(
      "postprocessing: [{class: 1, minimumVoxels: -1}]",
      "postprocessing[0].minimumVoxels: expected a whole number of at least 0, found '-1'"),
    Case(
      "postprocessing: {class: 1}",
      "postprocessing: expected a list of {class, largestComponent, fillHoles, minimumVoxels}, "
        + "found keys and values"),
  ]

  @Test(arguments: wrongKeys) func `a wrong key is named with its line`(wrong: Case) {
    #expect(message(wrong.yaml) == wrong.message)
  }

  @Test(arguments: wrongValues + wrongPostprocessing)
  func `a wrong value is named with its line`(wrong: Case) {
    #expect(message("\n" + wrong.yaml) == "lkdist.yaml, line 2: " + wrong.message)
  }

  @Test func `a section that holds no keys is refused`() {
    #expect(
      message("loss: 3") == "lkdist.yaml, line 1: loss: expected the keys kind, found '3'")
    #expect(message("hello") == "lkdist.yaml, line 1: expected keys and values")
  }

  @Test(arguments: [
    "name: [a\nseed: 3", "name: a\n\tseed: 3", "a: b: c", "name: *x", "--- a\n--- b", "name: \u{1}",
    "%", "\"", "{", "- a\nb", "&a [*a]", "? {", "!!int x: 3", "<<: 3", "[[[[[[[[", "key\n",
  ])
  func `what is not YAML is refused with a line`(yaml: String) {
    let text = message(yaml)
    #expect(text?.hasPrefix("lkdist.yaml, line ") == true, "\(text ?? "accepted")")
  }

  @Test func `a fault of an override names the argument`() {
    let unknown = message("", ["training.epoch=3"])
    #expect(
      unknown?.hasPrefix(
        "--set training.epoch=3: unknown key 'training.epoch'; did you mean 'training.epochs'?")
        == true)
    #expect(
      message("training:\n  epochs: 3", ["training.epochs=x"])
        == "--set training.epochs=x: training.epochs: expected a whole number of at least 1, "
        + "found 'x'")
    #expect(
      message("", ["model.attention=[{scale: x}]"])
        == "--set model.attention=[{scale: x}]: model.attention[0].scale: expected a whole number "
        + "of at least 0, found 'x'")
    #expect(
      message("", ["data.fold=9"])
        == "--set data.fold=9: data.fold: fold 9 of 5 folds: choose 0..4 or all")
    #expect(message("", ["seed.x.y=1"])?.hasPrefix("--set seed.x.y=1: seed: expected") == true)
    #expect(
      message("seed: 3", ["seed.x=1"]) == "--set seed.x=1: 'seed' holds no keys")
    for bad in ["seed", "=3", "a..b=3", ".=1"] {
      #expect(
        message("", [bad])
          == "--set \(bad): expected key.path=value, such as training.epochs=10")
    }
    #expect(message("", ["name=[a"])?.hasPrefix("--set name=[a: not YAML: ") == true)
  }

  @Test func `samples that ranks cannot sum in one tree are refused`() throws {
    func message(accumulate: Int, ranks: Int) throws -> String? {
      let configuration = try Configuration.parse(
        "{distributed: {reproducible: true}, training: {accumulate: \(accumulate)}}", folder: "/")
      do throws(TrainingError) {
        try configuration.check(ranks: ranks)
        return nil
      } catch {
        #expect(error.exitCode == .configuration)
        return "\(error)"
      }
    }
    for (accumulate, ranks) in [(1, 3), (4, 2), (3, 1)] {
      #expect(try message(accumulate: accumulate, ranks: ranks) == nil)
    }
    let compressed = try Configuration.parse(
      "distributed: {reproducible: true, compression: bf16}", folder: "/")
    #expect(throws: TrainingError.self) { try compressed.check(ranks: 1) }
    let refused = try #require(try message(accumulate: 6, ranks: 2))
    #expect(refused.contains("training.accumulate: 6"))
    #expect(refused.contains("distributed.reproducible"))
  }
}
