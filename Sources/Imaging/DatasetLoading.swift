import Foundation

extension Dataset {
  /// Reads a data set's description and finds its files; opens no image.
  ///
  /// - Parameters:
  ///   - path: the data set's folder, or its `dataset.json`.
  ///   - layout: `auto` or `msd`.
  /// - Throws: `missing` that lists absent files, `badData` for a description that cannot be used,
  ///   `configuration` for a layout that is unknown or not built.
  package static func load(_ path: String, layout: String = "auto") throws(ImagingError) -> Dataset
  {
    switch layout {
    case "auto", "msd": return try loadDecathlon(path)
    case "nnunet", "brats2020", "ct-org", "datalist":
      throw .configuration("data.layout \(layout) is not built yet; use msd (dataset.json)")
    default:
      throw .configuration("data.layout \"\(layout)\" is unknown; use auto or msd")
    }
  }

  private static func loadDecathlon(_ path: String) throws(ImagingError) -> Dataset {
    let (folder, file) = try description(at: path)
    let description = try JSONFile.read(DecathlonDescription.self, from: file)
    guard !description.training.isEmpty else {
      throw .badData("\(file): the list \"training\" is empty; name at least one image")
    }
    func resolve(_ name: String) -> String {
      URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
        .standardizedFileURL.path
    }
    let subjects = description.training.map { entry in
      Subject(
        identifier: identifier(of: entry.image), images: [resolve(entry.image)],
        label: entry.label.map(resolve))
    }
    try requireUnique(subjects, file)
    try requireFiles(of: subjects, file)
    return Dataset(
      name: description.name ?? URL(fileURLWithPath: folder).lastPathComponent,
      channelNames: description.channels, labels: description.labels,
      subjects: subjects.sorted { $0.identifier < $1.identifier })
  }

  private static func description(
    at path: String
  ) throws(ImagingError) -> (folder: String, file: String) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing("\(path): no such data set; give the folder that holds dataset.json")
    }
    let url = URL(fileURLWithPath: path)
    guard isFolder.boolValue else { return (url.deletingLastPathComponent().path, path) }
    let file = url.appendingPathComponent("dataset.json").path
    guard FileManager.default.fileExists(atPath: file) else {
      throw .missing("\(path) holds no dataset.json; give the folder of a data set in MSD layout")
    }
    return (path, file)
  }

  /// A subject's name: the image's file name without `.nii.gz` and a channel number `_0000`.
  package static func identifier(of path: String) -> String {
    var name = URL(fileURLWithPath: path).lastPathComponent
    for ending in [".gz", ".nii", "_0000"] where name.hasSuffix(ending) {
      name.removeLast(ending.count)
    }
    return name
  }

  private static func requireUnique(_ subjects: [Subject], _ file: String) throws(ImagingError) {
    var seen: Set<String> = []
    for subject in subjects where !seen.insert(subject.identifier).inserted {
      throw .badData("\(file) lists the subject \(subject.identifier) twice; keep one")
    }
  }

  private static func requireFiles(of subjects: [Subject], _ file: String) throws(ImagingError) {
    let files = subjects.flatMap { $0.images + ($0.label.map { [$0] } ?? []) }
    let absent = files.filter { !FileManager.default.fileExists(atPath: $0) }
    guard !absent.isEmpty else { return }
    let rest = absent.count > 10 ? ["and \(absent.count - 10) more"] : []
    throw .missing(
      "\(file) lists \(absent.count) files that do not exist: "
        + (absent.prefix(10) + rest).joined(separator: ", "))
  }
}

extension Dataset {
  /// The labels that a `dataset.json` names, ascending; the files it lists need not exist.
  ///
  /// - Throws: `missing`, `inputOutput` or `badData` naming the file.
  package static func labels(of file: String) throws(ImagingError) -> [DatasetLabel] {
    try JSONFile.read(DecathlonDescription.self, from: file).labels
  }
}
