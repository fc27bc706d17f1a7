import Foundation

/// The subjects that a JSON file lists under `training`, `test`, …, as MSD and MONAI write them.
struct SubjectList {
  let subjects: [Subject]

  private static let testKeys = ["test", "testing", "validation"]

  /// Whether a JSON file has one of the lists.
  static func isList(_ root: JSONFile) -> Bool {
    (["training"] + testKeys).contains { root.json[$0]?.array != nil }
  }

  /// Reads the lists of `root`; relative paths in it start from `folder`.
  ///
  /// - Throws: `badData` naming the key.
  init(_ root: JSONFile, folder: String) throws(ImagingError) {
    var entries: [Entry] = []
    for entry in try root["training"]?.elements ?? [] {
      entries.append(try Entry(entry, part: .training))
    }
    for key in Self.testKeys {
      for entry in try root[key]?.elements ?? [] {
        entries.append(try Entry(entry, part: .test))
      }
    }
    if entries.isEmpty {
      throw try root.value("training").error("the list is empty; name at least one image")
    }
    subjects = zip(entries, Self.identifiers(of: entries)).map { entry, name in
      entry.subject(name, folder: folder, file: root.file)
    }
  }

  /// File names without endings; of a part that repeats a name, all with the folders they are in.
  private static func identifiers(of entries: [Entry]) -> [String] {
    let training = entries.prefix { $0.part == .training }
    var names = training.map(\.name)
    if Set(names).count < names.count { names = training.map(\.longName) }
    let tests = entries.dropFirst(training.count)
    let all = names + tests.map(\.name)
    return Set(all).count < all.count ? names + tests.map(\.longName) : all
  }

  /// One element of a list: `{"image": …, "label": …, "fold": …}` or the image alone; `image` may
  /// be a list of one file a channel.
  private struct Entry {
    let images: [String]
    let label: String?
    let fold: Int?
    let part: Subject.Part
    let path: String

    init(_ entry: JSONFile, part: Subject.Part) throws(ImagingError) {
      (self.part, path) = (part, entry.path)
      if let image = entry.json.string {
        (images, label, fold) = ([image], nil, nil)
        return
      }
      let image = try entry.value("image")
      var images: [String] = []
      if image.json.array == nil {
        images = [try image.string]
      } else {
        for element in try image.elements { images.append(try element.string) }
      }
      guard !images.isEmpty else { throw image.error("the list is empty") }
      self.images = images
      label = try entry["label"]?.string
      fold = try entry["fold"]?.integer
    }

    var name: String { Dataset.identifier(of: images) }

    var longName: String {
      let folders = images[0].split(separator: "/").dropLast().filter { $0 != "." && $0 != ".." }
      return (folders.map(String.init) + [name]).joined(separator: "_")
    }

    func subject(_ identifier: String, folder: String, file: String) -> Subject {
      Subject(
        identifier: identifier, images: images.map { NIfTIFiles.path($0, from: folder) },
        label: label.map { NIfTIFiles.path($0, from: folder) }, part: part, fold: fold,
        source: "\(file): \(path)")
    }
  }
}

extension Dataset {
  /// A subject's name: the image's file name without `.nii.gz` and a channel number `_0000`; of
  /// several images the words that all their names begin with.
  package static func identifier(of images: [String]) -> String {
    let names = images.map { path in
      let stem = NIfTIFiles.stem(of: path)
      return stem.hasSuffix("_0000") && stem.count > 5 ? String(stem.dropLast(5)) : stem
    }
    guard let first = names.first, names.count > 1 else { return names.first ?? "" }
    let words = names.map { $0.split(whereSeparator: NIfTIFiles.separates) }
    let shared = words[0].indices.prefix { index in
      words.allSatisfy { $0.indices.contains(index) && $0[index] == words[0][index] }
    }
    guard let last = shared.last else { return first }
    return String(first[..<words[0][last].endIndex])
  }
}
