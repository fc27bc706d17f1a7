import Foundation

/// How the files of a data set are laid out; each has a file of its own beside this one.
package enum DatasetLayout: String, CaseIterable, Sendable {
  /// The Medical Segmentation Decathlon's: `dataset.json` lists the files.
  case msd
  /// nnU-Net's raw data, version 2: `dataset.json`, and files named by case and channel.
  case nnunet
  /// A folder per case with files of four MR sequences.
  case brats2020
  /// `volume-N.nii.gz` and `labels-N.nii.gz`.
  case ctOrg = "ct-org"
  /// MONAI's: a JSON file that lists images, label maps and folds.
  case datalist

  fileprivate func load(_ path: String) throws(ImagingError) -> Dataset {
    var dataset =
      switch self {
      case .msd: try DecathlonLayout.load(path)
      case .nnunet: try NNUNetLayout.load(path)
      case .brats2020: try BraTSLayout.load(path)
      case .ctOrg: try CTORGLayout.load(path)
      case .datalist: try DatalistLayout.load(path)
      }
    dataset.layout = self
    dataset.subjects.sort { $0.identifier < $1.identifier }
    try dataset.requireUniqueIdentifiers()
    return dataset
  }
}

extension Dataset {
  /// Reads a data set's description and finds its files; opens no image.
  ///
  /// - Parameters:
  ///   - path: the data set's folder, or the JSON file that describes it.
  ///   - layout: nil to see which it is; `notes` then begin with what was seen.
  ///   - needsFiles: whether absent files are refused, or those of the test part left out; without,
  ///     who uses a subject finds out.
  /// - Throws: `missing` that lists absent files, `badData` for a description that cannot be used,
  ///   `configuration` for a folder that could be read in several ways.
  package static func load(
    _ path: String, layout: DatasetLayout? = nil, needsFiles: Bool = true
  ) throws(ImagingError) -> Dataset {
    guard let layout else {
      guard let dataset = try recognize(path, needsFiles: needsFiles) else {
        throw LayoutDetector.unknown(path)
      }
      return dataset
    }
    try requireExistence(of: path)
    var dataset = try layout.load(path)
    if needsFiles { try dataset.requireFiles(path) }
    return dataset
  }

  /// Reads the data set at `path`; nil where none of the layouts is seen.
  ///
  /// - Throws: as `load`.
  package static func recognize(
    _ path: String, needsFiles: Bool = true
  ) throws(ImagingError) -> Dataset? {
    try requireExistence(of: path)
    guard let (layout, reason) = try LayoutDetector.detect(path) else { return nil }
    var dataset = try layout.load(path)
    dataset.notes.insert("layout \(layout.rawValue): \(reason)", at: 0)
    if needsFiles { try dataset.requireFiles(path) }
    return dataset
  }

  private static func requireExistence(of path: String) throws(ImagingError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .missing("\(path): no such data set; give its folder, or the JSON file that lists it")
    }
  }

  /// Refuses absent files of the training part, and leaves out subjects of the test part without theirs.
  private mutating func requireFiles(_ path: String) throws(ImagingError) {
    let absent = Set(subjects.filter { !$0.absentFiles.isEmpty })
    try subjects.filter { $0.part == .training && absent.contains($0) }.requireFiles(path)
    subjects.removeAll(where: absent.contains)
    guard !absent.isEmpty else { return }
    let cases = absent.count == 1 ? "1 test case is" : "\(absent.count) test cases are"
    notes.append(
      "\(cases) left out, for files of \(absent.count == 1 ? "it" : "them") are not there")
  }

  fileprivate func requireUniqueIdentifiers() throws(ImagingError) {
    for (one, other) in zip(subjects, subjects.dropFirst()) where one.identifier == other.identifier
    {
      throw .badData(
        "the data set holds the subject \(one.identifier) twice (\(one.source) and "
          + "\(other.source)); keep one")
    }
  }
}

extension [Subject] {
  /// Refuses subjects whose files are not there.
  ///
  /// - Throws: `missing` that lists up to ten of the files; `source` is what asks for them.
  package func requireFiles(_ source: String) throws(ImagingError) {
    let absent = flatMap(\.absentFiles)
    guard !absent.isEmpty else { return }
    let rest = absent.count > 10 ? ["and \(absent.count - 10) more"] : []
    throw .missing(
      "\(source): \(absent.count) \(absent.count == 1 ? "file is" : "files are") missing: "
        + (absent.prefix(10) + rest).joined(separator: ", "))
  }
}

extension Subject {
  /// Those of its files that are not there.
  package var absentFiles: [String] { files.filter { !FileManager.default.fileExists(atPath: $0) } }
}
