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
    let entries = try JSONFile(path).elements
    guard entries.indices.contains(fold) else {
      throw .configuration("data.fold is \(fold), but \(path) holds \(entries.count) splits")
    }
    let training = try identifiers(entries[fold], "train")
    let validation = try identifiers(entries[fold], "val")
    let unknown = Set(training + validation).subtracting(subjects).sorted()
    guard unknown.isEmpty else {
      throw .badData(
        "\(path) names subjects that the data set does not hold: "
          + unknown.joined(separator: ", "))
    }
    let shared = Set(training).intersection(validation).sorted()
    guard shared.isEmpty, !training.isEmpty else {
      throw .badData(
        shared.isEmpty
          ? "\(path): split \(fold) has no training subject"
          : "\(path): split \(fold) trains and validates on \(shared.joined(separator: ", "))")
    }
    return Split(training: training.sorted(), validation: validation.sorted())
  }

  /// The number of splits in a `splits_final.json`.
  ///
  /// - Throws: `missing`, `inputOutput` and `badData` for the file.
  package static func count(inFile path: String) throws(ImagingError) -> Int {
    try JSONFile(path).elements.count
  }

  private static func identifiers(
    _ entry: JSONFile, _ key: String
  ) throws(ImagingError) -> [String] {
    var names: [String] = []
    for element in try entry.value(key).elements { names.append(try element.string) }
    return names
  }

  /// Takes the folds that the data set itself says; subjects without one always train.
  ///
  /// - Parameter fold: the fold to validate, or nil to train on everything.
  /// - Throws: `configuration` for a fold that no subject has.
  package static func split(_ subjects: [Subject], fold: Int?) throws(ImagingError) -> Split {
    let folds = Set(subjects.compactMap(\.fold)).sorted()
    if let fold, !folds.contains(fold) {
      throw .configuration(
        "data.fold is \(fold), but the data set has the folds "
          + folds.map(String.init).joined(separator: ", "))
    }
    let isHeldOut = { (subject: Subject) in fold != nil && subject.fold == fold }
    return Split(
      training: subjects.filter { !isHeldOut($0) }.map(\.identifier).sorted(),
      validation: subjects.filter(isHeldOut).map(\.identifier).sorted())
  }
}
