import Foundation
import Tensors

/// Writes corrected copies of the files of a data set, complete or not at all.
package struct CorrectedFiles: Sendable {
  /// A file that will get a copy.
  package struct Job: Hashable, Sendable {
    package let file: String
    /// Where the copy goes, relative to the folder for copies.
    package let name: String
    fileprivate let isLabelMap: Bool
    fileprivate let corrections: [Finding.Correction]
  }

  package let jobs: [Job]
  /// Files with errors that nobody can correct without knowing more, ascending.
  package let uncorrected: [String]

  /// What can be corrected of a data set whose folder is `root`.
  ///
  /// A file is copied when every error in it can be corrected and it lies below `root`.
  package init(_ check: DatasetCheck, root: String) {
    let labelMaps = Set(check.dataset.subjects.compactMap(\.label))
    let folder = URL(fileURLWithPath: root).standardizedFileURL.path + "/"
    var (jobs, uncorrected): ([Job], [String]) = ([], [])
    let byFile = Dictionary(
      grouping: check.findings.filter { $0.severity == .error || $0.correction != nil },
      by: { $0.file ?? "" })
    for (file, findings) in byFile.sorted(by: { $0.key < $1.key }) where !file.isEmpty {
      let path = URL(fileURLWithPath: file).standardizedFileURL.path
      let corrections = findings.compactMap(\.correction)
      if corrections.count == findings.count, path.hasPrefix(folder) {
        jobs.append(
          Job(
            file: file, name: String(path.dropFirst(folder.count)),
            isLabelMap: labelMaps.contains(file), corrections: corrections))
      } else {
        uncorrected.append(file)
      }
    }
    (self.jobs, self.uncorrected) = (jobs, uncorrected)
  }

  /// Writes the copies into `folder` under the names that they have below the data set's: images
  /// as float32, label maps as uint8 or int16.
  ///
  /// - Throws: `inputOutput`; also where a file of other contents is in the way. Then none is
  ///   written.
  package func write(to folder: String) throws(ImagingError) {
    guard !jobs.isEmpty else { return }
    let stage = try StagedFolder(folder)
    for job in jobs { try Self.write(job, to: try stage.path(job.name)) }
    try stage.publish()
  }

  private static func write(_ job: Job, to path: String) throws(ImagingError) {
    let place = try place(for: job)
    if job.isLabelMap {
      var map = try NIfTI.readLabels(job.file)
      if let place { map.geometry = place }
      try NIfTI.write(map, to: path)
    } else {
      var volume = try NIfTI.readImage(job.file, allowsNonFinite: true)
      if let place { volume.geometry = place }
      if job.corrections.contains(.zeros) { volume.grid.replaceNonFinite() }
      try NIfTI.write(volume, to: path)
    }
  }

  private static func place(for job: Job) throws(ImagingError) -> Geometry? {
    for case .grid(let image) in job.corrections { return try NIfTI.readGeometry(image).geometry }
    return nil
  }
}

extension VoxelGrid {
  fileprivate mutating func replaceNonFinite() {
    let values = mutableValues()
    for index in values.indices where !values[index].isFinite { values[index] = 0 }
  }
}
