import Foundation
import Imaging

/// One call of `lkdist evaluate`: label maps against references of the same name.
package struct Evaluation {
  private let predictions: String
  private let references: String
  private let labels: String?
  private let excluded: [String]

  package init(
    predictions: String, references: String, labels: String? = nil, excluded: [String] = []
  ) {
    self.predictions = predictions
    self.references = references
    self.labels = labels
    self.excluded = excluded
  }

  /// The scores of every prediction.
  ///
  /// - Throws: `missing` for a prediction without reference, `badData` for other grids.
  package func scores() throws -> Scores {
    let pairs = try self.pairs()
    let classes = try self.classes(of: pairs)
    var scores = Scores(classes: classes)
    for pair in pairs {
      scores.add(
        pair.name,
        try Metrics.evaluate(
          prediction: try NIfTI.readLabels(pair.prediction),
          reference: try NIfTI.readLabels(pair.reference), classes: classes, subject: pair.name))
    }
    return scores
  }

  private typealias Pair = (name: String, prediction: String, reference: String)

  private func pairs() throws(TrainingError) -> [Pair] {
    guard NIfTIFiles.isFolder(predictions) else {
      return [(NIfTIFiles.stem(of: predictions), predictions, references)]
    }
    let known = Dictionary(
      try NIfTIFiles.list(references).map { (NIfTIFiles.stem(of: $0), $0) }
    ) { first, _ in first }
    var pairs: [Pair] = []
    for prediction in try NIfTIFiles.list(predictions) {
      let name = NIfTIFiles.stem(of: prediction)
      guard let reference = known[name] else {
        throw .missing("\(prediction) has no reference of that name in \(references)")
      }
      pairs.append((name, prediction, reference))
    }
    guard !pairs.isEmpty else {
      throw .missing("\(predictions) holds no .nii or .nii.gz file to score")
    }
    return pairs
  }

  private func classes(of pairs: [Pair]) throws -> [ScoredClass] {
    let all: [DatasetLabel]
    if let labels {
      all = try Dataset.labels(of: labels)
    } else {
      var values = Set<Int16>()
      for pair in pairs { values.formUnion(try NIfTI.readLabels(pair.reference).labels) }
      all = values.sorted().map { DatasetLabel(value: Int($0), name: "\($0)") }
    }
    let classes = ScoredClass.foreground(of: all)
    for name in excluded where !classes.contains(where: { $0.key == name || $0.name == name }) {
      throw TrainingError.missing(
        "--exclude \(name): no such class among \(classes.map(\.name).inWords)")
    }
    return classes.filter { !excluded.contains($0.key) && !excluded.contains($0.name) }
  }

  /// The scores as the text of metrics.json.
  package static func text(of scores: Scores) throws -> String {
    String(decoding: try scores.json(), as: UTF8.self) + "\n"
  }

  /// Writes metrics.json at `path` and a CSV file of the same name beside it.
  ///
  /// - Throws: `inputOutput` naming the file.
  package static func write(_ scores: Scores, to path: String) throws {
    try AtomicFile.write(try text(of: scores), to: path, kind: "scores")
    let stem = path.hasSuffix(".json") ? String(path.dropLast(5)) : path
    try AtomicFile.write(scores.csv, to: stem + ".csv", kind: "scores")
  }
}
