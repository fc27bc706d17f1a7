import Files
import Foundation
import Imaging

/// One call of `lkdist evaluate`: label maps against references of the same name, or against the
/// label maps of the data set's subjects of that name.
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
    let described = try labels.map { path throws(ImagingError) in try Dataset.labels(of: path) }
    let classes = try self.classes(of: pairs, described)
    var scores = Scores(classes: classes)
    for pair in pairs {
      scores.add(
        pair.name,
        try Metrics.evaluate(
          prediction: try NIfTI.readLabels(pair.prediction),
          reference: try NIfTI.readLabels(pair.reference), classes: classes, subject: pair.name,
          ignoring: described?.ignoredLabel))
    }
    return scores
  }

  private typealias Pair = (name: String, prediction: String, reference: String)

  private func pairs() throws -> [Pair] {
    guard NIfTIFiles.isFolder(predictions) else {
      return [(NIfTIFiles.stem(of: predictions), predictions, references)]
    }
    let known = try referencesByName()
    var pairs: [Pair] = []
    for prediction in try NIfTIFiles.list(predictions) {
      let name = NIfTIFiles.stem(of: prediction)
      guard let reference = known[name] else {
        throw TrainingError.missing("\(prediction) has no reference of that name in \(references)")
      }
      pairs.append((name, prediction, reference))
    }
    guard !pairs.isEmpty else {
      throw TrainingError.missing("\(predictions) holds no .nii or .nii.gz file to score")
    }
    return pairs
  }

  /// The label maps of a folder by their names, or of a data set by its subjects.
  private func referencesByName() throws -> [String: String] {
    var known: [String: String] = [:]
    if NIfTIFiles.isFolder(references), let dataset = try Dataset.recognize(references) {
      for subject in dataset.subjects { known[subject.identifier] = subject.label }
    } else {
      for path in try NIfTIFiles.list(references) { known[NIfTIFiles.stem(of: path)] = path }
    }
    return known
  }

  private func classes(of pairs: [Pair], _ described: Dataset?) throws -> [ScoredClass] {
    let classes: [ScoredClass]
    if let described, !described.labels.isEmpty {
      classes = ScoredClass.scored(of: described)
    } else {
      var values = Set<Int16>()
      for pair in pairs { values.formUnion(try NIfTI.readLabels(pair.reference).labels) }
      classes = ScoredClass.foreground(
        of: values.sorted().map { DatasetLabel(value: Int($0), name: "\($0)") })
    }
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
