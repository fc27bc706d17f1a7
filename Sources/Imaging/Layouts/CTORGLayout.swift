/// The layout of CT-ORG: `volume-N.nii.gz` with `labels-N.nii.gz`, in one folder or in several.
enum CTORGLayout {
  /// The data set's own test part, which is never trained on.
  private static let testCases = 0...20

  // Values from the data set's read-me; the brain is labeled where a scan shows it.
  private static let empty = Dataset(
    name: "CT-ORG", channelNames: ["CT"],
    labels: ["background", "liver", "bladder", "lungs", "kidneys", "bone", "brain"].enumerated()
      .map { DatasetLabel(value: $0, name: $1) },
    subjects: [])

  /// Reads the cases below a folder.
  static func load(_ path: String) throws(ImagingError) -> Dataset {
    let folders = try FolderTree.folders(below: path)
    let (volumes, labels) = (try files("volume", in: folders), try files("labels", in: folders))
    guard !volumes.isEmpty else {
      throw .missing("\(path) holds no file such as volume-21.nii.gz")
    }
    var dataset = empty
    dataset.subjects = volumes.keys.sorted().map { number in
      let volume = volumes[number] ?? ""
      let isTest = testCases.contains(number)
      let expected = volume.replacing("volume-\(number).", with: "labels-\(number).")
      return Subject(
        identifier: "volume-\(number)", images: [volume],
        label: labels[number] ?? (isTest ? nil : expected), part: isTest ? .test : .training,
        source: volume)
    }
    let strays = labels.keys.filter { volumes[$0] == nil }.sorted()
    if !strays.isEmpty {
      dataset.notes.append(
        "label maps without a volume: " + strays.map { "labels-\($0)" }.joined(separator: ", "))
    }
    let tests = dataset.testSubjects.count
    if tests > 0 {
      dataset.notes.append(
        "volume-0 to volume-20 are CT-ORG's test part: \(tests) cases are not trained on")
    }
    return dataset
  }

  /// What is seen of the layout among folders: a volume and its labels.
  static func finding(in folders: [FolderTree]) -> LayoutDetector.Finding? {
    let files = folders.flatMap { folder in folder.files.map { (folder, $0) } }
    let names = Set(files.map { NIfTIFiles.stem(of: $0.1) })
    let pair = files.first { _, name in
      number(of: name, "volume").map { names.contains("labels-\($0)") } ?? false
    }
    return pair.map { (.ctOrg, "\($0.path)/\($1) has its labels beside it") }
  }

  /// The paths of the files `KIND-N.nii.gz` by N.
  ///
  /// - Throws: `badData` for a number that two files have.
  private static func files(
    _ kind: String, in folders: [FolderTree]
  ) throws(ImagingError) -> [Int: String] {
    var paths: [Int: String] = [:]
    for folder in folders {
      for name in folder.files {
        guard let number = number(of: name, kind) else { continue }
        let path = "\(folder.path)/\(name)"
        if let other = paths.updateValue(path, forKey: number) {
          throw .badData("\(other) and \(path) are both \(kind) \(number); keep one")
        }
      }
    }
    return paths
  }

  /// The N of a file's name `KIND-N.nii.gz`.
  private static func number(of name: String, _ kind: String) -> Int? {
    let stem = NIfTIFiles.stem(of: name)
    guard stem.hasPrefix(kind + "-") else { return nil }
    let digits = stem.dropFirst(kind.count + 1)
    return digits.allSatisfy { ("0"..."9").contains($0) } ? Int(digits) : nil
  }
}
