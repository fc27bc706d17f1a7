import Tensors

/// What a read of all its files tells of a data set: findings and figures.
package struct DatasetCheck: Sendable {
  package let dataset: Dataset
  /// Per subject in the order of the data set, then of the data set as a whole.
  package let findings: [Finding]
  package let summary: DatasetSummary

  /// Judges a data set by `scans` of its files.
  package init(_ dataset: Dataset, scans: [FileScan]) {
    self.dataset = dataset
    let byPath = Dictionary(scans.map { ($0.path, $0) }) { first, _ in first }
    let subjects = dataset.subjects.map { subject in
      SubjectCheck(
        subject: subject, dataset: dataset, images: subject.images.compactMap { byPath[$0] },
        labelMap: subject.label.flatMap { byPath[$0] })
    }
    summary = DatasetSummary(subjects, of: dataset)
    let whole = Self.notes(dataset, summary) + Self.places(subjects, summary)
    findings =
      subjects.flatMap(\.findings) + Self.duplicates(among: subjects)
      + (whole + Self.absentClasses(dataset, summary))
  }

  /// The files of a data set, each once, by the subject that names it first; true for label maps.
  package static func files(of dataset: Dataset) -> [[(path: String, isLabelMap: Bool)]] {
    var seen: Set<String> = []
    return dataset.subjects.map { subject in
      let files =
        subject.images.map { ($0, false) } + [subject.label].compactMap { $0 }.map { ($0, true) }
      return files.filter { seen.insert($0.0).inserted }
    }
  }

  /// How many findings there are of a severity.
  package func count(_ severity: Finding.Severity) -> Int {
    findings.count { $0.severity == severity }
  }

  // MARK: - The data set as a whole

  private static func notes(_ dataset: Dataset, _ summary: DatasetSummary) -> [Finding] {
    var findings = dataset.notes.map { Finding(.note, .dataset, $0) }
    if dataset.labels.isEmpty {
      let values = summary.classes.map { "\($0.value)" }.joined(separator: ", ")
      findings.append(
        Finding(
          .note, .dataset, "nothing names the labels; the label maps hold \(values)",
          remedy: "data.labels names them"))
    }
    if dataset.labeledSubjects.isEmpty {
      findings.append(
        Finding(.warning, .dataset, "no subject has a label map: there is nothing to train on"))
    }
    return findings
  }

  private static func places(_ subjects: [SubjectCheck], _ summary: DatasetSummary) -> [Finding] {
    var findings: [Finding] = []
    if summary.orientations.count > 1 {
      let list = summary.orientations.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
      findings.append(
        Finding(
          .note, .orientation,
          "images are stored in \(summary.orientations.count) orientations: "
            + list, remedy: "none is needed: preparation reorients them"))
    }
    let unplaced = subjects.filter { $0.images.first?.geometry?.isPlaced == false }
    if let first = unplaced.first {
      findings.append(
        Finding(
          .warning, .placement, file: first.images.first?.path,
          "\(unplaced.count) of \(subjects.count) subjects have images with neither sform nor "
            + "qform, this one first: left and right are not known and taken as RAS",
          remedy: "convert the images again from their source"))
    }
    return findings
  }

  private static func absentClasses(_ dataset: Dataset, _ summary: DatasetSummary) -> [Finding] {
    guard !dataset.labeledSubjects.isEmpty else { return [] }
    return summary.classes.filter { $0.value > 0 && $0.voxels == 0 }.map {
      Finding(
        .warning, .absentClass, "no label map to train on holds label \($0.value) (\($0.name))",
        remedy: "remove it from \(dataset.labelSource), or draw it")
    }
  }

  // MARK: - Duplicates

  private struct Content: Hashable {
    let fingerprint: UInt64
    let extent: Extent
  }

  /// Images with the same voxels as one before, told once a pair of subjects.
  private static func duplicates(among subjects: [SubjectCheck]) -> [Finding] {
    var owners: [Content: (subject: String, file: String)] = [:]
    var told: Set<[String]> = []
    var findings: [Finding] = []
    for check in subjects {
      let name = check.subject.identifier
      for scan in check.images {
        guard let extent = scan.geometry?.extent else { continue }
        for tally in scan.channels where !tally.isConstant {
          let content = Content(fingerprint: tally.fingerprint, extent: extent)
          guard let owner = owners[content] else {
            owners[content] = (name, scan.path)
            continue
          }
          if told.insert([owner.subject, name]).inserted {
            findings.append(duplicate(name, scan.path, of: owner))
          }
        }
      }
    }
    return findings
  }

  private static func duplicate(
    _ subject: String, _ file: String, of owner: (subject: String, file: String)
  ) -> Finding {
    guard owner.subject != subject else {
      return Finding(
        .warning, .duplicate, subject: subject, file: file,
        "two channels of the subject hold the same voxels (\(owner.file))",
        remedy: "look whether one was copied over the other")
    }
    return Finding(
      .warning, .duplicate, subject: subject, file: file,
      "holds the same voxels as \(owner.file) of subject \(owner.subject)",
      remedy: "keep one, or validation may see what was trained on")
  }
}
