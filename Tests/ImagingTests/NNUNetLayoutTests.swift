import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct NNUNetLayoutTests {
  private let files: LayoutFixtures
  private let name = "nnunet/dataset.json"

  init() throws { files = try LayoutFixtures(channels: 2, edge: 10) }

  /// Writes one case with the given keys in place of its labels, and loads it.
  private func load(labels: String) throws -> Dataset {
    try Dataset.load(try files.writeNNUNet([1], labels: labels))
  }

  @Test func `channels, cases and the test folder are found`() throws {
    let path = try files.writeNNUNet([2, 1], tests: [7])
    try files.writeLabels(7, to: "nnunet/labelsTs/case_7.nii.gz")
    try files.write("", to: "nnunet/imagesTr/._case_1_0000.nii.gz")
    let dataset = try Dataset.load(path)
    #expect(dataset.channelNames == ["t1", "t1ce"])
    #expect(dataset.labeledSubjects.map(\.identifier) == ["case_1", "case_2"])
    #expect(
      dataset.subjects[0].images == (0..<2).map { "\(path)/imagesTr/case_1_000\($0).nii.gz" })
    #expect(dataset.testSubjects.map(\.identifier) == ["case_7"])
    #expect(dataset.testSubjects.first?.label == "\(path)/labelsTs/case_7.nii.gz")
  }

  @Test func `regions keep the order of the file, and are painted in the order it says`() throws {
    let dataset = try load(labels: LayoutFixtures.regions)
    #expect(
      dataset.regions == [
        Region(name: "whole", values: [1, 2, 4], painted: 2, layer: 0),
        Region(name: "inner", values: [1, 4], painted: 1, layer: 1),
        Region(name: "core", values: [4], painted: 4, layer: 2),
      ])
    #expect(dataset.labels.map(\.value) == [0, 1, 2, 4])
    #expect(dataset.labels.map(\.name) == ["background", "label 1", "label 2", "core"])
    // Twenty keys in falling order: a reader that keeps them in a table would shuffle them.
    let names = (1...20).reversed().map { "\"r\($0)\": [\($0), 21]" }.joined(separator: ", ")
    let order = (1...20).reversed().map(String.init).joined(separator: ", ")
    let many = try load(
      labels: "\"labels\": {\"background\": [0], \(names)}, \"regions_class_order\": [\(order)]")
    #expect(many.regions.map(\.painted) == Array((1...20).reversed()))
  }

  @Test func `the ignored label is no class, and its voxels are marked`() throws {
    let path = try files.writeNNUNet(
      [1], labels: #""labels": {"background": 0, "shell": 1, "core": 4, "ignore": 2}"#)
    let dataset = try Dataset.load(path)
    #expect(dataset.ignoredLabel == 2)
    #expect(dataset.labels.map(\.value) == [0, 1, 4])
    let subject = try Preparation.prepare(
      dataset.subjects[0], dataset: dataset, settings: PreparationSettings())
    #expect(Set(subject.labels.map(Array.init) ?? []) == [LabelMap.ignored, 0, 1, 4])
    #expect(subject.foreground.map(\.value) == [1, 4])
  }

  @Test func `a dataset object lists the files, as in nnU-Net`() throws {
    for channel in 0..<2 {
      try files.writeImage(1, channel: channel, to: "else/c\(channel).nii.gz")
    }
    try files.writeLabels(1, to: "else/map.nii.gz")
    try files.write(
      """
      {"channel_names": {"0": "a", "1": "b"}, "labels": {"background": 0, "x": 1},
       "file_ending": ".nii.gz", "dataset": {"fall eins": {
         "images": ["../else/c0.nii.gz", "\(files.folder.file("else/c1.nii.gz"))"],
         "label": "../else/map.nii.gz"}}}
      """, to: name)
    let dataset = try Dataset.load(files.folder.file("nnunet"))
    let subject = try #require(dataset.subjects.first)
    #expect(subject.identifier == "fall eins")
    #expect(subject.images == (0..<2).map { files.folder.file("else/c\($0).nii.gz") })
    #expect(subject.source.hasSuffix("dataset.json: dataset.fall eins"))
  }

  @Test func `files that are not there are listed`() throws {
    let path = try files.writeNNUNet([1, 2])
    try FileManager.default.removeItem(atPath: "\(path)/imagesTr/case_1_0001.nii.gz")
    try FileManager.default.removeItem(atPath: "\(path)/labelsTr/case_2.nii.gz")
    let text = message { _ = try Dataset.load(path) }
    #expect(text.hasPrefix("missing: \(path): 2 files are missing"))
    #expect(text.contains("case_1_0001.nii.gz") && text.contains("labelsTr/case_2.nii.gz"))
    try FileManager.default.removeItem(atPath: "\(path)/imagesTr")
    #expect(message { _ = try Dataset.load(path) }.contains("imagesTr holds no image"))
  }

  @Test func `names without a channel and channels beyond the list are named`() throws {
    let path = try files.writeNNUNet([1])
    try files.writeImage(1, channel: 0, to: "nnunet/imagesTr/case_1_0002.nii.gz")
    let beyond = message { _ = try Dataset.load(path) }
    #expect(beyond.hasPrefix("badData: \(path)/imagesTr/case_1_0002.nii.gz"))
    #expect(beyond.contains("_0000 to _0001"))
    try FileManager.default.removeItem(atPath: "\(path)/imagesTr/case_1_0002.nii.gz")
    try files.writeImage(1, channel: 0, to: "nnunet/imagesTr/case_2.nii.gz")
    #expect(message { _ = try Dataset.load(path) }.contains("imagesTr/case_2.nii.gz: the names"))
  }

  @Test(arguments: [
    (#""labels": {"background": 0, "a": [1, 2]}"#, "key \"regions_class_order\" is missing"),
    (
      #""labels": {"background": 0, "a": [1, 2]}, "regions_class_order": [1, 2]"#,
      "there are 1 regions, but 2 labels to paint them with"
    ),
    (
      #""labels": {"background": 0, "a": [1, 2]}, "regions_class_order": [3]"#,
      "a label is painted that no region holds"
    ),
    (#""labels": {"background": 0, "a": []}"#, "key \"labels.a\": the region holds no label"),
    (
      #""labels": {"background": 0, "a": [1, "2"]}"#,
      "key \"labels.a.[1]\": expected a whole number"
    ),
    (#""labels": {"background": 0, "a": 1, "b": 1}"#, "each value once"),
    (#""labels": {"a": 1, "b": 2}"#, "labels need 0 (background)"),
    (#""labels": {"background": 0, "a": 40000}"#, "label values must be 0 to 32767"),
    (#""labels": {"background": 0, "a": 1, "ignore": 1}"#, "\"ignore\" has the value 1 of another"),
    (#""labels": {"background": 0, "a": 1.5}"#, "key \"labels.a\": expected a whole number"),
    (#""labels": [0, 1]"#, "key \"labels\": expected an object"),
    (#""label": {}"#, "key \"labels\" is missing"),
  ])
  func `labels that cannot be used name their key`(labels: String, expected: String) {
    let text = message { _ = try load(labels: labels) }
    #expect(text.hasPrefix("badData: ") && text.contains(expected), "\(text)")
  }

  @Test func `images of another kind are refused`() throws {
    let path = try files.writeNNUNet([1])
    try files.write(
      try files.folder.text(name).replacingOccurrences(of: ".nii.gz", with: ".nrrd"), to: name)
    let text = message { _ = try Dataset.load(path) }
    #expect(text.contains("key \"file_ending\"") && text.contains("not .nrrd; convert"))
  }

  @Test func `broken JSON is named with its line`() throws {
    let path = try files.writeNNUNet([1])
    try files.write("{\"channel_names\":\n {\"0\": }", to: name)
    let text = message { _ = try Dataset.load(path) }
    #expect(text.hasPrefix("badData: \(path)/dataset.json: this is not valid JSON"))
    #expect(text.contains("(line 2)"))
  }

  @Test func `a byte-order mark before the JSON does no harm`() throws {
    let path = try files.writeNNUNet([1])
    try files.write("\u{FEFF}" + (try files.folder.text(name)), to: name)
    #expect(try Dataset.load(path).subjects.count == 1)
  }
}
