import Files
import Foundation
import Imaging
import Synchronization
import Tensors

/// One call of `lkdist tune-postprocessing`: what of post-processing helps on the label maps that a run
/// made of its validation subjects.
package struct PostprocessingTuning {
  private let folder: RunFolder
  private let configuration: Configuration
  private let scheme: LabelScheme
  let classes: [ScoredClass]
  private let subjects: [Subject]
  private let threads: Int

  /// The tuning of the run in the folder `path`.
  ///
  /// - Throws: `missing` for a run without predictions of its validation subjects, `configuration` for
  ///   one without such subjects, what reading the data set throws.
  package init(run path: String, threads: Int) throws {
    folder = RunFolder(path)
    configuration = try Configuration.load(folder.configuration)
    let dataset = try Dataset.load(configuration.data.path, layout: configuration.data.layout)
      .labeled(configuration.data.labels)
    subjects = try RunSetup.split(dataset, configuration).validation
    scheme = LabelScheme(of: dataset, loss: configuration.criterion)
    classes = scheme.postprocessed
    self.threads = threads
    guard !subjects.isEmpty else {
      throw TrainingError.configuration(
        "\(folder.path) has no validation subject (data.fold: all) to tune on; use a run of a fold")
    }
    for subject in subjects where !FileManager.default.fileExists(atPath: prediction(of: subject)) {
      throw TrainingError.missing(
        "\(prediction(of: subject)) is not there: let the run validate before it is tuned")
    }
  }

  private func prediction(of subject: Subject) -> String {
    "\(folder.validation)/\(subject.identifier).nii.gz"
  }

  // MARK: - Choosing

  /// What was tried and kept.
  package struct Result {
    /// The post-processing that helps, in order.
    package fileprivate(set) var steps: [Configuration.Postprocessing] = []
    fileprivate(set) var trials: [PostprocessingTrial] = []
  }

  /// Tries the options of one class after the other, each on top of what was kept before: the largest
  /// component, filled holes, both; then sizes below which the class is taken away, namely those of
  /// predictions where the reference has none of it. Of those that raise the mean Dice and do not
  /// raise the mean HD95 the one with the highest Dice is kept.
  package func run() throws -> Result {
    var result = Result()
    var current = try measure([[]])[0]
    for (index, kind) in classes.enumerated() {
      var setting = Configuration.Postprocessing(kind.key)
      let shapes = [(true, false), (false, true), (true, true)].map { shape in
        var option = setting
        (option.largestComponent, option.fillHoles) = shape
        return option
      }
      setting = try choose(among: shapes, over: setting, &current, &result)
      let sizes = current.falseSizes(ofClass: index).map { size in
        var option = setting
        option.minimumVoxels = size + 1
        return option
      }
      setting = try choose(among: sizes, over: setting, &current, &result)
      if setting != Configuration.Postprocessing(kind.key) { result.steps.append(setting) }
    }
    return result
  }

  /// The best of `options`, or `setting` where none of them helps.
  private func choose(
    among options: [Configuration.Postprocessing], over setting: Configuration.Postprocessing,
    _ current: inout PostprocessingOutcome, _ result: inout Result
  ) throws -> Configuration.Postprocessing {
    guard !options.isEmpty else { return setting }
    let before = current
    let outcomes = try measure(options.map { result.steps + [$0] })
    var best = setting
    for (option, outcome) in zip(options, outcomes)
    where outcome.isBetter(than: before) && outcome.hasHigherDice(than: current) {
      (best, current) = (option, outcome)
    }
    for (option, outcome) in zip(options, outcomes) {
      result.trials.append(
        PostprocessingTrial(option: option, before: before, after: outcome, isKept: option == best))
    }
    return best
  }

  /// The outcome of each list of steps over all subjects, which are dealt to the threads.
  private func measure(
    _ lists: [[Configuration.Postprocessing]]
  ) throws -> [PostprocessingOutcome] {
    let steps = try lists.map { list in
      var trial = configuration
      trial.postprocessing = list
      return try trial.postprocessingSteps(for: scheme)
    }
    let cases = Mutex<[Int: Swift.Result<[PostprocessedCase], ImagingError>]>([:])
    let team = ThreadTeam(threads: threads)
    defer { team.stop() }
    team.parallelFor(subjects.count) { index, _ in
      let result = Swift.Result { () throws(ImagingError) in try measure(subjects[index], steps) }
      cases.withLock { $0[index] = result }
    }
    let measured = try cases.withLock { $0 }.sorted { $0.key < $1.key }.map { try $0.value.get() }
    return lists.indices.map { list in PostprocessingOutcome(measured.map { $0[list] }) }
  }

  /// One subject under each list of steps.
  private func measure(
    _ subject: Subject, _ lists: [[PostprocessingStep]]
  ) throws(ImagingError) -> [PostprocessedCase] {
    let prediction = try NIfTI.readLabels(self.prediction(of: subject))
    let reference = try NIfTI.readLabels(subject.label ?? "")
    let isAbsent = classes.map { Mask(of: $0.values, in: reference).count == 0 }
    var known: [(map: LabelMap, measured: PostprocessedCase)] = []
    for list in lists {
      var map = prediction
      for step in list { step.apply(to: &map) }
      if let same = known.first(where: { $0.map.labels == map.labels }) {
        known.append((map, same.measured))
        continue
      }
      let scores = try Metrics.evaluate(
        prediction: map, reference: reference, classes: classes, subject: subject.identifier,
        ignoring: scheme.ignoredLabel)
      let sizes = classes.map { Mask(of: $0.values, in: map).count }
      known.append((map, PostprocessedCase(scores: scores, sizes: sizes, isAbsent: isAbsent)))
    }
    return known.map(\.measured)
  }

  // MARK: - Writing

  /// Puts the steps into the run's configuration and its checkpoints, so that predictions with them
  /// are processed.
  ///
  /// - Returns: the files that were changed.
  /// - Throws: `inputOutput` or `damaged` naming the file.
  package func write(_ result: Result) throws(TrainingError) -> [String] {
    let candidates = [folder.checkpoints.best] + folder.checkpoints.resumable
    let checkpoints = candidates.filter { FileManager.default.fileExists(atPath: $0) }
    for path in checkpoints { try Checkpoint(path).setPostprocessing(result.steps) }
    var configuration = configuration
    configuration.postprocessing = result.steps
    try folder.write(configuration)
    return [folder.configuration] + checkpoints
  }
}
