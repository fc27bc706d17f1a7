import Foundation

/// MONAI's datalist: a JSON file `{"training": [{"image": …, "label": …, "fold": 0}, …]}` with
/// images to predict under `validation`, `test` or `testing`; relative paths start from its folder.
///
/// It may also name `labels` and `modality` or `channel_names` as a `dataset.json` does.
enum DatalistLayout {
  /// Reads a datalist; of a folder the only one in it.
  static func load(_ path: String) throws(ImagingError) -> Dataset {
    let file = NIfTIFiles.isFolder(path) ? try onlyList(in: path) : path
    let url = URL(fileURLWithPath: file)
    let root = try JSONFile(file)
    let subjects = try SubjectList(root, folder: url.deletingLastPathComponent().path).subjects
    let name = try root["name"]?.string ?? url.deletingPathExtension().lastPathComponent
    let labels = root["labels"] == nil ? nil : try LabelDescription(of: root)
    return Dataset(
      name: name, channelNames: try channels(root, subjects), labels: labels?.labels ?? [],
      regions: labels?.regions ?? [], ignoredLabel: labels?.ignored, subjects: subjects,
      notes: foldNotes(subjects))
  }

  /// What is seen of the layout in a folder: JSON files that list subjects.
  ///
  /// - Throws: `configuration` for several.
  static func finding(in folder: String) throws(ImagingError) -> LayoutDetector.Finding? {
    let lists = try lists(in: folder)
    guard lists.count < 2 else {
      throw .configuration(
        "\(folder) holds \(lists.count) datalists (\(lists.joined(separator: ", "))); give one of "
          + "the files")
    }
    return lists.first.map { (.datalist, "\(folder)/\($0) lists subjects") }
  }

  private static func onlyList(in folder: String) throws(ImagingError) -> String {
    _ = try finding(in: folder)
    guard let name = try lists(in: folder).first else {
      throw .missing("\(folder) holds no JSON file that lists training images")
    }
    return "\(folder)/\(name)"
  }

  /// The names of a folder's JSON files that list subjects.
  private static func lists(in folder: String) throws(ImagingError) -> [String] {
    try FolderTree.names(in: folder).filter { name in
      guard name.hasSuffix(".json"), let root = try? JSONFile("\(folder)/\(name)") else {
        return false
      }
      return SubjectList.isList(root)
    }
  }

  /// The names that the file gives, else numbers: as many as images, or channels of the only one, of
  /// the first subject that is there.
  private static func channels(
    _ root: JSONFile, _ subjects: [Subject]
  ) throws(ImagingError) -> [String] {
    if let names = try ChannelDescription.channels(of: root) { return names }
    guard let images = subjects.first(where: \.absentFiles.isEmpty)?.images else { return [] }
    let count = images.count > 1 ? images.count : try NIfTI.readGeometry(images[0]).channels
    return (0..<count).map { "channel \($0)" }
  }

  private static func foldNotes(_ subjects: [Subject]) -> [String] {
    let training = subjects.filter { $0.part == .training }
    let folds = Set(training.compactMap(\.fold)).sorted()
    guard !folds.isEmpty else { return [] }
    let without = training.count { $0.fold == nil }
    return [
      "folds \(folds.map(String.init).joined(separator: ", ")) are those of the datalist"
        + (without > 0 ? "; \(without) subjects without one always train" : "")
    ]
  }
}
