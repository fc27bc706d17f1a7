import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct DatalistTests {
  private let files: LayoutFixtures

  init() throws { files = try LayoutFixtures(channels: 2, edge: 10) }

  private func load(_ text: String) throws -> Dataset {
    try files.write(text, to: "list.json")
    return try Dataset.load(files.folder.file("list.json"))
  }

  @Test func `folds, channels and labels come from the list and its files`() throws {
    let dataset = try Dataset.load(try files.writeDatalist([1, 2, 3], folds: 2))
    #expect(dataset.name == "list")
    #expect(dataset.subjects.map(\.identifier) == ["case_1", "case_2", "case_3"])
    #expect(dataset.subjects.map(\.fold) == [1, 0, 1])
    #expect(dataset.channelNames == ["channel 0", "channel 1"])
    #expect(dataset.labels.isEmpty)
    #expect(dataset.notes.contains { $0.contains("folds 0, 1 are those of the datalist") })
    let labeled = try dataset.labeled()
    #expect(labeled.labels.map(\.value) == [0, 1, 2, 4])
    #expect(labeled.notes.contains { $0.contains("data.labels") })
    let given = [DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 4, name: "core")]
    #expect(try dataset.labeled(given).labels == given)
  }

  @Test func `a list may name channels and labels, and images of several channels`() throws {
    try files.writeImages(1, to: "a/img.nii.gz")
    try files.writeImages(2, to: "b/img.nii.gz")
    let named = try load(
      """
      {"name": "Zwei", "modality": {"0": "A", "1": "B"}, "labels": {"0": "nothing", "1": "x"},
       "training": [{"image": "a/img.nii.gz"}, {"image": "b/img.nii.gz"}]}
      """)
    #expect(named.channelNames == ["A", "B"])
    #expect(named.labels.map(\.name) == ["nothing", "x"])
    #expect(named.subjects.map(\.identifier) == ["a_img", "b_img"])
    let unnamed = try load(#"{"training": ["a/img.nii.gz"]}"#)
    #expect(unnamed.channelNames == ["channel 0", "channel 1"])
  }

  @Test func `validation and test lists are for prediction`() throws {
    for name in ["a", "b", "c"] { try files.writeImage(1, channel: 0, to: "\(name).nii.gz") }
    let dataset = try load(
      """
      {"training": [{"image": "a.nii.gz"}], "validation": [{"image": "b.nii.gz"}],
       "testing": [{"image": "c.nii.gz"}, {"image": "gone.nii.gz"}]}
      """)
    #expect(dataset.testSubjects.map(\.identifier) == ["b", "c"])
    #expect(dataset.notes.contains { $0.hasPrefix("1 test case is left out") })
    let tests = try load(#"{"testing": ["c.nii.gz"]}"#)
    #expect(tests.testSubjects.count == 1 && tests.labeledSubjects.isEmpty)
  }

  @Test func `entries that cannot be used are named`() {
    for (text, expected) in [
      (#"{"training": []}"#, "key \"training\": the list is empty"),
      (#"{"training": [{"label": "x.nii"}]}"#, "key \"training.[0].image\" is missing"),
      (#"{"training": [{"image": []}]}"#, "key \"training.[0].image\": the list is empty"),
      (#"{"training": [{"image": ["a", 3]}]}"#, "key \"training.[0].image.[1]\": expected a text"),
      (
        #"{"training": [{"image": "a", "fold": "x"}]}"#,
        "key \"training.[0].fold\": expected a whole"
      ),
      (#"{"training": [{"image": "gone.nii.gz"}]}"#, ": 1 file is missing"),
      (#"{"training": ["#, "not valid JSON"), (#"{"something": 1}"#, "lists no subjects"),
    ] {
      let found = message { _ = try load(text) }
      #expect(found.contains(expected), "\(found)")
    }
  }

  @Test func `label maps without foreground leave nothing to learn`() throws {
    try files.writeImage(1, channel: 0, to: "a.nii.gz")
    var map = files.labels(1)
    map.labels = map.labels.map { _ in 0 }
    try NIfTI.write(map, to: files.folder.file("l.nii.gz"))
    let dataset = try load(#"{"training": [{"image": "a.nii.gz", "label": "l.nii.gz"}]}"#)
    #expect(message { _ = try dataset.labeled() }.contains("nothing to learn"))
    map.labels[0] = -2
    try NIfTI.write(map, to: files.folder.file("l.nii.gz"))
    #expect(message { _ = try dataset.labeled() }.contains("l.nii.gz holds -2"))
  }
}
