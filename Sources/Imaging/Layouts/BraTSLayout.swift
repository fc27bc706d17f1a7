import Foundation

/// The layout of BraTS 2020: a folder per case, `BraTS20_Training_001/BraTS20_Training_001_t1.nii`,
/// `…_t1ce`, `…_t2`, `…_flair` and, to train on, `…_seg`; `.nii` or `.nii.gz`, at any depth.
///
/// Cases without a label map, as all of the validation archive, are the test part.
enum BraTSLayout {
  /// The endings of the images' names, in channel order.
  private static let sequences = ["t1", "t1ce", "t2", "flair"]

  private static let empty = Dataset(
    name: "BraTS2020", channelNames: ["T1", "T1ce", "T2", "FLAIR"],
    labels: [
      DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 1, name: "NCR/NET"),
      DatasetLabel(value: 2, name: "ED"), DatasetLabel(value: 4, name: "ET"),
    ],
    regions: Region.brats, subjects: [])

  /// Reads the cases below a folder.
  static func load(_ path: String) throws(ImagingError) -> Dataset {
    var dataset = empty
    for folder in try FolderTree.folders(below: path) {
      let files = files(of: folder)
      guard sequences.contains(where: { files[$0] != nil }) else { continue }
      let (subject, note) = try subject(folder, files)
      dataset.subjects.append(subject)
      if let note { dataset.notes.append(note) }
    }
    guard !dataset.subjects.isEmpty else {
      throw .missing("\(path) holds no folder of a case, with files such as CASE_t1.nii.gz")
    }
    let tests = dataset.testSubjects.count
    if tests > 0, tests < dataset.subjects.count {
      dataset.notes.append("\(tests) cases have no label map and are not trained on")
    }
    return dataset
  }

  /// What is seen of the layout among folders: one with exactly one file of each sequence, named
  /// after the folder.
  static func finding(in folders: [FolderTree]) -> LayoutDetector.Finding? {
    let whole = folders.first { folder in
      let files = files(of: folder)
      return sequences.allSatisfy { sequence in
        files[sequence]?.count == 1 && files[sequence]?[0].hasPrefix(folder.name) == true
      }
    }
    return whole.map { (.brats2020, "\($0.path) holds t1, t1ce, t2 and flair images") }
  }

  /// A folder's files by the last word of their names: a sequence or `seg`.
  private static func files(of folder: FolderTree) -> [String: [String]] {
    Dictionary(grouping: folder.files) { name in
      let stem = NIfTIFiles.stem(of: name).lowercased()
      return String(stem.split(whereSeparator: NIfTIFiles.separates).last ?? "")
    }
  }

  private static func subject(
    _ folder: FolderTree, _ files: [String: [String]]
  ) throws(ImagingError) -> (Subject, note: String?) {
    let ending = folder.files[0].hasSuffix(".gz") ? ".nii.gz" : ".nii"
    func path(_ word: String) throws(ImagingError) -> String? {
      let names = files[word] ?? []
      guard names.count < 2 else {
        throw .badData(
          "\(folder.path) holds several files of \(word): \(names.joined(separator: ", ")); keep one"
        )
      }
      return names.first.map { "\(folder.path)/\($0)" }
    }
    func expected(_ word: String) -> String {
      "\(folder.path)/\(folder.name)_\(word)\(ending)"
    }
    var images: [String] = []
    for sequence in sequences { images.append(try path(sequence) ?? expected(sequence)) }
    var label = try path("seg")
    var note: String?
    if label == nil, let odd = oddLabel(among: folder.files) {
      label = "\(folder.path)/\(odd)"
      note = "\(folder.name): \(odd) is taken for the label map, for there is no …_seg\(ending)"
    }
    // A training case is never meant to be without a label map: let it be listed as absent.
    if label == nil, folder.name.contains("_Training_") { label = expected("seg") }
    let subject = Subject(
      identifier: folder.name, images: images, label: label,
      part: label == nil ? .test : .training, source: folder.path)
    return (subject, note)
  }

  /// A label map under another name, such as `W39_1998.09.19_Segm.nii` of training case 355.
  private static func oddLabel(among files: [String]) -> String? {
    let others = files.filter { name in
      let stem = NIfTIFiles.stem(of: name).lowercased()
      return stem.contains("seg") && !sequences.contains { stem.hasSuffix("_\($0)") }
    }
    return others.count == 1 ? others.first : nil
  }
}

extension Region {
  /// The BraTS challenge's; each lies within the next, so the smallest is painted last.
  package static let brats = [
    Region(name: "ET", values: [4], painted: 4, layer: 2),
    Region(name: "TC", values: [1, 4], painted: 1, layer: 1),
    Region(name: "WT", values: [1, 2, 4], painted: 2, layer: 0),
  ]
}
