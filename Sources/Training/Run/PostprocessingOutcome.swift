import Imaging

/// A validation subject after post-processing.
struct PostprocessedCase: Sendable {
  /// One per class.
  let scores: [Score]
  /// The predicted voxels of each class.
  let sizes: [Int]
  /// Whether the reference has none of a class.
  let isAbsent: [Bool]
}

/// All validation subjects after post-processing.
struct PostprocessingOutcome: Sendable {
  private let cases: [PostprocessedCase]
  /// Over foreground classes the mean of the mean over subjects.
  let mean: Score

  init(_ cases: [PostprocessedCase]) {
    self.cases = cases
    let classes = cases.first?.scores.count ?? 0
    mean = Score.mean((0..<classes).map { index in Score.mean(cases.map { $0.scores[index] }) })
  }

  /// Whether the mean Dice is higher and the mean HD95 no higher, rounding aside.
  func isBetter(than other: PostprocessingOutcome) -> Bool {
    hasHigherDice(than: other) && (mean.hd95 ?? 0) <= (other.mean.hd95 ?? 0) + 1e-6
  }

  func hasHigherDice(than other: PostprocessingOutcome) -> Bool {
    (mean.dice ?? 0) > (other.mean.dice ?? 0) + 1e-6
  }

  /// The sizes of predictions of a class where the reference has none of it, ascending; of many, our
  /// choice of eight.
  func falseSizes(ofClass index: Int) -> [Int] {
    let sizes = Set(cases.filter { $0.isAbsent[index] }.map { $0.sizes[index] }).subtracting([0])
      .sorted()
    guard sizes.count > 8 else { return sizes }
    return (1...8).map { sizes[$0 * sizes.count / 8 - 1] }
  }
}

/// One option that was tried.
struct PostprocessingTrial {
  let option: Configuration.Postprocessing
  let before: PostprocessingOutcome
  let after: PostprocessingOutcome
  let isKept: Bool

  /// The cells of a table's row.
  func cells(_ classes: [ScoredClass]) -> [String] {
    let name = classes.first { $0.key == option.target }?.name ?? option.target
    var words: [String] = []
    if option.largestComponent { words.append("largestComponent") }
    if option.fillHoles { words.append("fillHoles") }
    if option.minimumVoxels > 0 { words.append("minimumVoxels: \(option.minimumVoxels)") }
    func change(_ measure: KeyPath<Score, Double?>, _ digits: Int) -> String {
      [before, after].map { $0.mean[keyPath: measure].map { Progress.rounded($0, digits) } ?? "-" }
        .joined(separator: " -> ")
    }
    return [
      option.target == name ? name : "\(option.target) \(name)", words.joined(separator: ", "),
      change(\.dice, 4), change(\.hd95, 2), isKept ? "kept" : "",
    ]
  }
}

extension PostprocessingTuning {
  /// What was tried as a table: the mean Dice and HD95 over classes before and after.
  package func table(of result: Result) -> String {
    let rows =
      [["class", "option", "mean Dice", "mean HD95 mm", ""]]
      + result.trials.map { $0.cells(classes) }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n") + "\n"
  }
}
