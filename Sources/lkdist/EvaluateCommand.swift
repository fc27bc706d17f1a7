import ArgumentParser
import Foundation
import Training

/// `lkdist evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Score label maps against references: Dice and HD95 per class and subject.",
    discussion: """
      Files are matched by name, or with a data set by its subjects' names. Examples:
        lkdist evaluate predictions Task04_Hippocampus/labelsTr \\
          --labels Task04_Hippocampus/dataset.json -o metrics.json
        lkdist evaluate predictions CT-ORG --labels CT-ORG --exclude brain
      """)

  @Argument(help: "A folder of label maps, or one file.")
  var predictions: String

  @Argument(help: "The folder of reference label maps or the data set, or one file.")
  var references: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "Write the scores to this JSON file, and to a CSV file beside it.")
  var output: String?

  @Option(
    help: "The dataset.json, or data set, that names the labels; the values found otherwise.")
  var labels: String?

  @Option(help: "Leave this class out, by name or value; repeatable.")
  var exclude: [String] = []

  @Flag(help: "Print the scores as JSON.")
  var json = false

  func run() throws {
    let scores = try Evaluation(
      predictions: predictions, references: references, labels: labels, excluded: exclude
    ).scores()
    if let output { try Evaluation.write(scores, to: output) }
    print(json ? try Evaluation.text(of: scores) : scores.table(perSubject: true), terminator: "")
  }
}
