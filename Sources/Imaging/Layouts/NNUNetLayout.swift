import Foundation

/// nnU-Net's layout for raw data (version 2): `dataset.json` with `channel_names`, `labels` and
/// `file_ending`, images `imagesTr/CASE_0000.nii.gz`, labels `labelsTr/CASE.nii.gz`; or, as there,
/// a `dataset` object of the files of each case.
enum NNUNetLayout {
  /// Reads the data set of a folder, or of its description.
  static func load(_ path: String) throws(ImagingError) -> Dataset {
    let file = try DecathlonLayout.description(at: path, layout: "nnU-Net")
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let root = try JSONFile(file)
    var dataset = try Dataset(describedBy: root, name: folder.lastPathComponent)
    let files = Files(
      folder: folder.path, ending: try ending(root), channels: dataset.channelNames.count)
    if let listed = root["dataset"] {
      dataset.subjects = try subjects(in: listed, folder.path)
    } else {
      dataset.subjects = try files.subjects(.training)
      guard !dataset.subjects.isEmpty else {
        throw .missing("\(folder.path)/imagesTr holds no image such as CASE_0000\(files.ending)")
      }
    }
    dataset.subjects += try files.subjects(.test)
    return dataset
  }

  private static func ending(_ root: JSONFile) throws(ImagingError) -> String {
    guard let value = root["file_ending"] else { return ".nii.gz" }
    let ending = try value.string
    guard [".nii.gz", ".nii"].contains(ending) else {
      throw value.error("lkdist reads .nii.gz and .nii files, not \(ending); convert the images")
    }
    return ending
  }

  /// The subjects of a `dataset` object: `{"CASE": {"images": […], "label": …}}`.
  private static func subjects(
    in listed: JSONFile, _ folder: String
  ) throws(ImagingError) -> [Subject] {
    var subjects: [Subject] = []
    for (name, entry) in try listed.members {
      var images: [String] = []
      for image in try entry.value("images").elements {
        images.append(NIfTIFiles.path(try image.string, from: folder))
      }
      subjects.append(
        Subject(
          identifier: name, images: images,
          label: NIfTIFiles.path(try entry.value("label").string, from: folder),
          source: "\(listed.file): \(entry.path)"))
    }
    return subjects
  }

  /// The files of the folders imagesTr and labelsTr, imagesTs and labelsTs.
  private struct Files {
    let folder: String
    let ending: String
    let channels: Int

    /// The cases whose first channel is there, with the names that all their files should have; of
    /// the test part only labels that are there.
    func subjects(_ part: Subject.Part) throws(ImagingError) -> [Subject] {
      let suffix = part == .training ? "Tr" : "Ts"
      let (images, labels) = ("\(folder)/images\(suffix)", "\(folder)/labels\(suffix)")
      guard NIfTIFiles.isFolder(images) else { return [] }
      return try cases(in: images).map { name in
        let label = "\(labels)/\(name)\(ending)"
        let isLabeled = part == .training || FileManager.default.fileExists(atPath: label)
        return Subject(
          identifier: name, images: (0..<channels).map { "\(images)/\(file(name, $0))" },
          label: isLabeled ? label : nil, part: part, source: images)
      }
    }

    private func file(_ name: String, _ channel: Int) -> String {
      let number = String(channel)
      return "\(name)_" + String(repeating: "0", count: max(0, 4 - number.count)) + number + ending
    }

    /// The names of the cases that any channel's file has.
    private func cases(in images: String) throws(ImagingError) -> [String] {
      let stems = try FolderTree.names(in: images).filter { $0.hasSuffix(ending) }
        .map { String($0.dropLast(ending.count)) }
      for stem in stems where Self.channel(of: stem).map({ $0 >= channels }) ?? true {
        throw .badData(
          "\(images)/\(stem)\(ending): the names of images end with their channel, _0000"
            + (channels > 1 ? " to \(file("", channels - 1).dropLast(ending.count))" : "")
            + "; rename it, or correct channel_names in dataset.json")
      }
      return Set(stems.map { String($0.dropLast(5)) }).sorted()
    }

    /// The channel at the end of a file's stem: `_0001`.
    private static func channel(of stem: String) -> Int? {
      let digits = stem.suffix(4)
      guard stem.count > 5, stem.dropLast(4).last == "_",
        digits.allSatisfy({ ("0"..."9").contains($0) })
      else { return nil }
      return Int(digits)
    }
  }
}
