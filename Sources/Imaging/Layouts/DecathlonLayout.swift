import Foundation

/// The layout of the Medical Segmentation Decathlon: a folder whose `dataset.json` names channels
/// (`modality`), `labels` and the files of each subject, 3-D or, with several channels, 4-D.
enum DecathlonLayout {
  /// Reads the data set of a folder, or of its description.
  static func load(_ path: String) throws(ImagingError) -> Dataset {
    let file = try description(at: path, layout: "MSD")
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let root = try JSONFile(file)
    var dataset = try Dataset(describedBy: root, name: folder.lastPathComponent)
    _ = try root.value("training")
    dataset.subjects = try SubjectList(root, folder: folder.path).subjects
    return dataset
  }

  /// The `dataset.json` of a folder; a file is taken as it is.
  ///
  /// - Throws: `missing` for a folder without one; `layout` is what the message calls it.
  static func description(at path: String, layout: String) throws(ImagingError) -> String {
    guard NIfTIFiles.isFolder(path) else { return path }
    let file = path + "/dataset.json"
    guard FileManager.default.fileExists(atPath: file) else {
      throw .missing(
        "\(path) holds no dataset.json; give the folder of a data set in \(layout) layout")
    }
    return file
  }
}
