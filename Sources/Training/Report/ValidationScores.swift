import Imaging
import Synchronization
import Tensors

/// The validation subjects whose predicted label maps a run has kept, scored against their
/// references.
struct ValidationScores {
  /// A subject with all that its pictures need.
  struct Case {
    let subject: Subject
    let prediction: String
    let reference: String
  }

  let scores: Scores
  /// By identifier.
  let cases: [String: Case]
  /// What could not be scored, and why.
  let failures: [String]

  /// Scores the label maps in the run's folder.
  ///
  /// - Throws: `Absence` where there is nothing to score.
  init(of run: RunContents, on team: ThreadTeam) throws(Absence) {
    let predictions = Self.predictions(in: run.folder)
    guard !predictions.isEmpty else {
      throw Absence("No validation has been kept: \(run.folder.validation) holds no label map.")
    }
    let dataset = try run.dataset.get()
    let known = Dictionary(dataset.subjects.map { ($0.identifier, $0) }) { first, _ in first }
    var cases: [Case] = []
    var failures: [String] = []
    for prediction in predictions {
      let name = NIfTIFiles.stem(of: prediction)
      if let subject = known[name], let reference = subject.label {
        cases.append(Case(subject: subject, prediction: prediction, reference: reference))
      } else {
        failures.append("\(name): the data set has no label map of that name")
      }
    }
    let classes = ScoredClass.scored(of: dataset)
    let results = Self.score(cases, classes: classes, ignoring: dataset.ignoredLabel, on: team)
    var scores = Scores(classes: classes, rule: .validation)
    for (item, result) in zip(cases, results) {
      switch result {
      case .success(let values): scores.add(item.subject.identifier, values)
      case .failure(let error): failures.append("\(item.subject.identifier): \(error)")
      }
    }
    self.scores = scores
    self.failures = failures
    self.cases = Dictionary(cases.map { ($0.subject.identifier, $0) }) { first, _ in first }
  }

  private static func predictions(in folder: RunFolder) -> [String] {
    (try? NIfTIFiles.list(folder.validation)) ?? []
  }

  private static func score(
    _ cases: [Case], classes: [ScoredClass], ignoring ignored: Int?, on team: ThreadTeam
  ) -> [Result<[Score], ImagingError>] {
    let results = Mutex<[Int: Result<[Score], ImagingError>]>([:])
    team.parallelFor(cases.count) { index, _ in
      let item = cases[index]
      let result = Result { () throws(ImagingError) in
        try Metrics.evaluate(
          prediction: try NIfTI.readLabels(item.prediction),
          reference: try NIfTI.readLabels(item.reference), classes: classes,
          subject: item.subject.identifier, by: .validation, ignoring: ignored)
      }
      results.withLock { $0[index] = result }
    }
    return results.withLock { results in cases.indices.compactMap { results[$0] } }
  }

  /// Subjects from the worst mean Dice over classes to the best.
  var ranked: [(identifier: String, mean: Score, scores: [Score])] {
    scores.subjects.map { ($0.identifier, Score.mean($0.scores), $0.scores) }
      .sorted { ($0.mean.dice ?? -1, $0.identifier) < ($1.mean.dice ?? -1, $1.identifier) }
  }

  /// The best, the middle and the worst subject, as far as they are different ones.
  var examples: [(rank: String, identifier: String, mean: Score)] {
    let ranked = ranked
    let places: [(String, Int)] =
      switch ranked.count {
      case 0: []
      case 1: [("The only subject", 0)]
      case 2: [("Best", 1), ("Worst", 0)]
      default: [("Best", ranked.count - 1), ("Median", ranked.count / 2), ("Worst", 0)]
      }
    return places.map { ($0.0, ranked[$0.1].identifier, ranked[$0.1].mean) }
  }
}
