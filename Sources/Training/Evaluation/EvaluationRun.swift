import Collectives
import Files
import Foundation
import Imaging
import Synchronization
import Tensors

/// One call of `lkdist evaluate` on label maps; under a launcher the subjects are dealt to the ranks.
package struct EvaluationRun {
  /// What is scored.
  package enum Input: Sendable {
    /// Two folders or two files; `labels` is the data set that names the labels.
    case files(predictions: String, references: String, labels: String?)
    /// Folders of runs, whose validation subjects are pooled.
    case runs([String])
  }

  /// What the command line says.
  package struct Options: Sendable {
    let input: Input
    let rule: ScoringRule
    /// Classes to leave out, by name or key.
    let excluded: [String]
    let output: ScoresOutput

    package init(input: Input, rule: ScoringRule, excluded: [String], output: ScoresOutput) {
      self.input = input
      self.rule = rule
      self.excluded = excluded
      self.output = output
    }
  }

  private let options: Options
  private let world: Communicator
  private let team: ThreadTeam

  /// An evaluation on all ranks of `world`. Collective.
  ///
  /// - Parameter threads: the value of `--threads`, if given.
  package init(
    options: Options, world: Communicator, threads: Int?
  ) throws(CommunicationError) {
    self.options = options
    self.world = world
    team = ThreadTeam(threads: try ThreadBudget.ofThisRank(flag: threads, world: world).threads)
  }

  /// Scores every subject that can be, prints and writes the scores on the root, then lists the
  /// subjects that could not.
  ///
  /// - Returns: `done`, or the code of the failures; the same on every rank.
  /// - Throws: what keeps everything from being scored, and `inputOutput` for the output.
  package func run() throws -> ExitCode {
    defer { team.stop() }
    let plan = try sharedPlan()
    var code = ExitCode.done
    if let results = try world.gathered(results(of: plan))?.flatMap({ $0 }) {
      let failures = (plan.failures + results.compactMap(\.failure))
        .sorted { $0.subject < $1.subject }
      var scores = Scores(classes: plan.classes, rule: options.rule)
      for result in results {
        if let own = result.scores { scores.add(result.subject, own) }
      }
      for failure in failures { scores.failures[failure.subject] = failure.reason }
      defer { options.output.tell(plan.notes, failures) }
      if !scores.subjects.isEmpty { try options.output.write(scores) }
      code = SubjectFailure.exitCode(of: failures, done: scores.subjects.count)
    }
    let shared = try world.allreduceMax(Int(code.rawValue))
    return ExitCode(rawValue: Int32(shared)) ?? .internal
  }

  /// The root looks first, so that a mistake is told once.
  private func sharedPlan() throws -> EvaluationPlan {
    if world.rank > 0 { try world.barrier() }
    try options.output.check()
    var plan =
      switch options.input {
      case .files(let predictions, let references, let labels):
        try EvaluationPlan(
          predictions: predictions, references: references, labels: labels, rule: options.rule,
          on: team)
      case .runs(let runs): try EvaluationPlan(runs: runs, rule: options.rule, on: team)
      }
    for name in options.rule.classTolerances.keys.sorted() {
      try plan.require(name, of: "--tolerance")
    }
    try plan.exclude(options.excluded)
    if world.rank == 0 { try world.barrier() }
    return plan
  }

  /// What became of one subject.
  private struct Result: Codable, Sendable {
    let subject: String
    /// One a class; nil where it failed.
    var scores: [Score]?
    var failure: SubjectFailure?
  }

  /// This rank's share, on all its threads.
  private func results(of plan: EvaluationPlan) -> [Result] {
    let pairs = stride(from: world.rank, to: plan.pairs.count, by: world.size)
      .map { plan.pairs[$0] }
    let results = Mutex<[Result]>([])
    team.parallelFor(pairs.count) { index, _ in
      let result = result(of: pairs[index], plan)
      results.withLock { $0.append(result) }
    }
    return results.withLock { $0 }
  }

  private func result(of pair: EvaluationPlan.Pair, _ plan: EvaluationPlan) -> Result {
    do throws(ImagingError) {
      let prediction = try labels(pair.prediction, plan)
      let reference = try labels(pair.reference, plan)
      let scores = try Metrics.evaluate(
        prediction: prediction, reference: reference, classes: plan.classes, subject: pair.subject,
        by: options.rule, ignoring: plan.ignored)
      return Result(subject: pair.subject, scores: scores)
    } catch {
      return Result(subject: pair.subject, failure: SubjectFailure(pair.subject, error))
    }
  }

  private func labels(_ path: String, _ plan: EvaluationPlan) throws(ImagingError) -> LabelMap {
    let map = try NIfTI.readLabels(path)
    guard let known = plan.known,
      let unknown = map.values.filter({ !known.contains(Int($0)) }).min()
    else { return map }
    throw .badData(
      "\(path) holds label \(unknown), which is none of "
        + "\(known.sorted().map(String.init).joined(separator: ", ")); correct the label map, or name "
        + "the label in --labels")
  }
}
