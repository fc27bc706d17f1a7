import Foundation
import Imaging
import Tensors
import Testing

@Suite struct DatasetTests {
  private let description = """
    {"name": "Größe", "modality": {"0": "T1", "1": "T2"},
     "labels": {"10": "b", "0": "background", "2": "a"},
     "training": [{"image": "./images Tr/zwei ü.nii.gz", "label": "./labelsTr/zwei ü.nii.gz"},
                  {"image": "images Tr/eins_0000.nii"}]}
    """

  private func load(
    _ text: String, files: [String] = [], _ layout: DatasetLayout? = nil
  ) throws -> Dataset {
    var result: Result<Dataset, any Error>?
    try ImagingFixtures.withFolder { folder in
      for (name, text) in [("dataset.json", text)] + files.map({ ($0, "") }) {
        let url = URL(fileURLWithPath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      result = Result { try Dataset.load(folder, layout: layout) }
    }
    return try #require(result).get()
  }

  private let files = [
    "images Tr/zwei ü.nii.gz", "labelsTr/zwei ü.nii.gz", "images Tr/eins_0000.nii",
  ]

  @Test func `an MSD description becomes sorted subjects and labels`() throws {
    let dataset = try load(description, files: files)
    #expect(dataset.name == "Größe")
    #expect(dataset.channelNames == ["T1", "T2"])
    #expect(dataset.labels.map(\.value) == [0, 2, 10])
    #expect(dataset.labels.map(\.name) == ["background", "a", "b"])
    #expect(dataset.subjects.map(\.identifier) == ["eins", "zwei ü"])
    #expect(dataset.subjects[0].label == nil)
    #expect(dataset.subjects[1].images[0].hasSuffix("/images Tr/zwei ü.nii.gz"))
  }

  @Test func `channel_names and labels by name are taken too`() throws {
    let text = description.replacingOccurrences(of: "modality", with: "channel_names")
      .replacingOccurrences(
        of: #""10": "b", "0": "background", "2": "a""#, with: #""b": 10, "background": 0, "a": 2"#)
    let dataset = try load(text, files: files, .msd)
    #expect(dataset.channelNames == ["T1", "T2"])
    #expect(dataset.labels.map(\.name) == ["background", "a", "b"])
  }

  @Test func `absent files are listed`() {
    let text = message { _ = try load(description, files: [files[0]]) }
    #expect(text.contains(": 2 files are missing"))
    #expect(text.contains("labelsTr/zwei ü.nii.gz") && text.contains("images Tr/eins_0000.nii"))
    #expect(text.hasPrefix("missing"))
  }

  @Test func `a description that cannot be used names its key or line`() {
    let cut = description.replacingOccurrences(of: "\"training\": [{", with: "\"training\": {{")
    let syntax = message { _ = try load(cut, files: files) }
    #expect(syntax.hasPrefix("badData") && syntax.contains("not valid JSON"))
    #expect(syntax.contains("line 3"), "\(syntax)")
    let noLabels = description.replacingOccurrences(of: "\"labels\":", with: "\"label\":")
    #expect(message { _ = try load(noLabels, files: files) }.contains("key \"labels\" is missing"))
    let noBackground = description.replacingOccurrences(of: "\"0\": \"background\", ", with: "")
    #expect(message { _ = try load(noBackground, files: files) }.contains("0 (background)"))
    let twice = description.replacingOccurrences(of: "images Tr/eins_0000.nii", with: files[0])
    #expect(message { _ = try load(twice, files: files) }.contains("zwei ü twice"))
    let number = description.replacingOccurrences(
      of: "\"label\": \"./", with: "\"label\": 7, \"x\": \"")
    #expect(message { _ = try load(number, files: files) }.contains("training.[0].label"))
  }

  @Test func `a path that is not there says so in every layout`() {
    #expect(message { _ = try Dataset.load("/nowhere") }.hasPrefix("missing: /nowhere"))
    for layout in DatasetLayout.allCases {
      #expect(
        message { _ = try Dataset.load("/nowhere", layout: layout) }.hasPrefix("missing: /nowhere"))
    }
  }

  @Test func `test images are a part of their own, and those that are absent are left out`() throws
  {
    let text = description.replacingOccurrences(
      of: "\"training\"", with: "\"test\": [\"imagesTs/a.nii\", \"imagesTs/b.nii\"], \"training\"")
    let dataset = try load(text, files: files + ["imagesTs/b.nii"])
    #expect(dataset.testSubjects.map(\.identifier) == ["b"])
    #expect(dataset.labeledSubjects.map(\.identifier) == ["zwei ü"])
    #expect(dataset.notes.contains { $0.hasPrefix("1 test case is left out") })
    #expect(dataset.subjects.map(\.source).allSatisfy { $0.contains("dataset.json: t") })
  }
}

@Suite struct FoldTests {
  private let subjects = ["e", "c", "a", "d", "b"]

  @Test func `subject i validates in fold i mod folds`() throws {
    let split = try Folds.split(subjects: subjects, folds: 2, fold: 1)
    #expect(split == Split(training: ["a", "c", "e"], validation: ["b", "d"]))
    let all = try Folds.split(subjects: subjects, folds: 2, fold: nil)
    #expect(all == Split(training: ["a", "b", "c", "d", "e"], validation: []))
  }

  @Test func `folds that do not exist are refused`() {
    #expect(
      message { _ = try Folds.split(subjects: subjects, folds: 5, fold: 5) }
        == "configuration: data.fold is 5, not 0 to 4 or all")
    #expect(
      message { _ = try Folds.split(subjects: subjects, folds: 6, fold: 0) }
        .hasPrefix("configuration: data.folds is 6, but 5 subjects make 2 to 5 folds"))
  }

  @Test func `folds of the data set itself are taken, and subjects without one always train`()
    throws
  {
    let folds: [Int?] = [0, 1, nil, 1, 0]
    let subjects = zip(subjects, folds).map {
      Subject(identifier: $0, images: [], label: nil, fold: $1)
    }
    let split = try Folds.split(subjects, fold: 1)
    #expect(split == Split(training: ["a", "b", "e"], validation: ["c", "d"]))
    #expect(try Folds.split(subjects, fold: nil).training.count == 5)
    #expect(
      message { _ = try Folds.split(subjects, fold: 2) }
        == "configuration: data.fold is 2, but the data set has the folds 0, 1")
  }

  @Test func `a splits file is read and its strangers named`() throws {
    try ImagingFixtures.withFolder { folder in
      let path = "\(folder)/splits_final.json"
      let text = """
        [{"train": ["c", "a"], "val": ["b"]}, {"train": ["x", "a"], "val": ["y"]},
         {"train": ["a", "b"], "val": ["b"]}]
        """
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let split = try Folds.split(subjects: subjects, file: path, fold: 0)
      #expect(split == Split(training: ["a", "c"], validation: ["b"]))
      #expect(
        message { _ = try Folds.split(subjects: subjects, file: path, fold: 1) }
          == "badData: \(path) names subjects that the data set does not hold: x, y")
      #expect(
        message { _ = try Folds.split(subjects: subjects, file: path, fold: 2) }
          .contains("trains and validates on b"))
      #expect(
        message { _ = try Folds.split(subjects: subjects, file: path, fold: 3) }
          .hasPrefix("configuration: data.fold is 3, but \(path) holds 3 splits"))
    }
  }
}
