/// Who trains and who validates.
package struct Split: Equatable, Sendable {
  /// Identifiers, ascending.
  package var training: [String]
  /// Identifiers, ascending; empty where everything trains.
  package var validation: [String]

  package init(training: [String], validation: [String]) {
    self.training = training
    self.validation = validation
  }
}

/// Cross-validation splits of a data set's subjects.
package enum Folds {
  /// Deals subjects, sorted by identifier, to folds: subject i validates in fold i mod `folds`.
  ///
  /// - Parameter fold: 0..<folds, or nil to train on everything.
  /// - Throws: `configuration` for a fold that does not exist or that would be empty.
  package static func split(
    subjects: [String], folds: Int, fold: Int?
  ) throws(ImagingError) -> Split {
    let subjects = subjects.sorted()
    guard let fold else { return Split(training: subjects, validation: []) }
    guard folds >= 2, folds <= subjects.count else {
      throw .configuration(
        "data.folds is \(folds), but \(subjects.count) subjects make 2 to \(subjects.count) folds"
          + "; with too few subjects set data.fold: all")
    }
    guard (0..<folds).contains(fold) else {
      throw .configuration("data.fold is \(fold), not 0 to \(folds - 1) or all")
    }
    let indices = subjects.indices
    return Split(
      training: indices.filter { $0 % folds != fold }.map { subjects[$0] },
      validation: indices.filter { $0 % folds == fold }.map { subjects[$0] })
  }

  /// Reads one split of a `splits_final.json` as nnU-Net writes it: `[{"train": […], "val": […]}]`.
  ///
  /// - Parameter fold: the entry of the list, or nil to train on everything.
  /// - Throws: `missing` and `inputOutput` for the file, `badData` for identifiers that are unknown
  ///   or in both halves, `configuration` for a fold that the file does not hold.
  package static func split(
    subjects: [String], file path: String, fold: Int?
  ) throws(ImagingError) -> Split {
    guard let fold else { return Split(training: subjects.sorted(), validation: []) }
    let entries = try JSONFile.read([Entry].self, from: path)
    guard entries.indices.contains(fold) else {
      throw .configuration("data.fold is \(fold), but \(path) holds \(entries.count) splits")
    }
    let entry = entries[fold]
    let unknown = Set(entry.train + entry.val).subtracting(subjects).sorted()
    guard unknown.isEmpty else {
      throw .badData(
        "\(path) names subjects that the data set does not hold: "
          + unknown.joined(separator: ", "))
    }
    let shared = Set(entry.train).intersection(entry.val).sorted()
    guard shared.isEmpty, !entry.train.isEmpty else {
      throw .badData(
        shared.isEmpty
          ? "\(path): split \(fold) has no training subject"
          : "\(path): split \(fold) trains and validates on \(shared.joined(separator: ", "))")
    }
    return Split(training: entry.train.sorted(), validation: entry.val.sorted())
  }

  private struct Entry: Decodable {
    let train: [String]
    let val: [String]
  }
}
