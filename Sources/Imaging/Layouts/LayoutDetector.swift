import Foundation

/// Sees from a folder's files which layout they have.
enum LayoutDetector {
  typealias Finding = (layout: DatasetLayout, reason: String)

  /// The layout of the data set at `path` and what it was seen by; nil where none is seen.
  ///
  /// A `dataset.json` decides; without one the names of the files must leave a single answer.
  /// - Throws: `configuration` where they leave several, `badData` for JSON that is none.
  static func detect(_ path: String) throws(ImagingError) -> Finding? {
    guard NIfTIFiles.isFolder(path) else {
      return path.hasSuffix(".json") ? try inFile(path) : nil
    }
    let description = path + "/dataset.json"
    if FileManager.default.fileExists(atPath: description) { return try inFile(description) }
    let folders = try FolderTree.folders(below: path)
    let findings = [
      BraTSLayout.finding(in: folders), CTORGLayout.finding(in: folders),
      try DatalistLayout.finding(in: path),
    ].compactMap { $0 }
    guard findings.count < 2 else {
      throw .configuration(
        "\(path) can be read in several ways: "
          + findings.map { "\($0.layout.rawValue) (\($0.reason))" }.joined(separator: ", ")
          + "; say which with data.layout, or give a folder or file further down")
    }
    return findings.first
  }

  /// What a JSON file describes.
  private static func inFile(_ path: String) throws(ImagingError) -> Finding? {
    let root = try JSONFile(path)
    if root["file_ending"] != nil || (root["channel_names"] != nil && root["training"] == nil) {
      let key = root["file_ending"] != nil ? "file_ending" : "channel_names"
      return (.nnunet, "\(path) has the key \(key)")
    }
    if path.hasSuffix("/dataset.json") || path == "dataset.json" {
      return (.msd, "\(path) has no key of nnU-Net's")
    }
    return SubjectList.isList(root) ? (.datalist, "\(path) lists subjects") : nil
  }

  /// The error for a folder or file that is no data set.
  static func unknown(_ path: String) -> ImagingError {
    guard NIfTIFiles.isFolder(path) else {
      return .missing("\(path) lists no subjects; give a data set's folder, or its JSON file")
    }
    let parent = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
    if FileManager.default.fileExists(atPath: parent + "/dataset.json") {
      return .missing("\(path) is a part of the data set \(parent); give that folder")
    }
    return .missing(
      "\(path) holds no data set that lkdist knows: no dataset.json (MSD, nnU-Net), no folder of a "
        + "case with t1, t1ce, t2 and flair images (BraTS 2020), no volume-N.nii.gz with "
        + "labels-N.nii.gz (CT-ORG), no JSON file that lists training images (datalist)")
  }
}
