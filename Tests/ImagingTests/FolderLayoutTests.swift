import Foundation
import Imaging
import TestSupport
import Testing

/// Layouts without a description: BraTS 2020 and CT-ORG.
@Suite struct FolderLayoutTests {
  private let files: LayoutFixtures

  init() throws { files = try LayoutFixtures(edge: 10) }

  private func move(_ name: String, to other: String) throws {
    try FileManager.default.moveItem(atPath: files.folder.file(name), toPath: files.path(other))
  }

  @Test func `BraTS has its channels, regions and test part`() throws {
    let dataset = try Dataset.load(try files.writeBraTS([1, 12], tests: [3]))
    #expect(dataset.channelNames == ["T1", "T1ce", "T2", "FLAIR"])
    #expect(dataset.labels.map(\.value) == [0, 1, 2, 4])
    #expect(dataset.regions.map(\.name) == ["ET", "TC", "WT"])
    #expect(dataset.regions.map(\.values) == [[4], [1, 4], [1, 2, 4]])
    #expect(
      dataset.labeledSubjects.map(\.identifier) == ["BraTS20_Training_001", "BraTS20_Training_012"])
    #expect(dataset.testSubjects.map(\.identifier) == ["BraTS20_Validation_003"])
    #expect(
      dataset.testSubjects.first?.images.map { NIfTIFiles.stem(of: $0) }
        == ["t1", "t1ce", "t2", "flair"].map { "BraTS20_Validation_003_\($0)" })
  }

  @Test func `cases lie at any depth, compressed or not, in capitals or not`() throws {
    _ = try files.writeBraTS([1], in: "archive/Data/cases")
    for (channel, sequence) in ["T1", "T1CE", "T2", "Flair"].enumerated() {
      try files.writeImage(2, channel: channel, to: "archive/more/Two/Two_\(sequence).nii.gz")
    }
    let dataset = try Dataset.load(files.folder.file("archive"))
    #expect(dataset.subjects.map(\.identifier) == ["BraTS20_Training_001", "Two"])
    #expect(dataset.testSubjects.map(\.identifier) == ["Two"])
  }

  @Test func `the odd label map of case 355 is found and said`() throws {
    let path = try files.writeBraTS([355])
    let folder = "brats/BraTS20_Training_355"
    try move("\(folder)/BraTS20_Training_355_seg.nii", to: "\(folder)/W39_1998.09.19_Segm.nii")
    let dataset = try Dataset.load(path)
    #expect(dataset.subjects.first?.label == "\(path)/BraTS20_Training_355/W39_1998.09.19_Segm.nii")
    #expect(
      dataset.notes.contains {
        $0.contains("BraTS20_Training_355: W39_1998.09.19_Segm.nii is taken for the label map")
      })
  }

  @Test func `a sequence or label map that is missing is named`() throws {
    let path = try files.writeBraTS([1, 2, 3])
    try FileManager.default.removeItem(
      atPath: "\(path)/BraTS20_Training_002/BraTS20_Training_002_t2.nii")
    try FileManager.default.removeItem(
      atPath: "\(path)/BraTS20_Training_003/BraTS20_Training_003_seg.nii")
    let text = message { _ = try Dataset.load(path) }
    #expect(text.hasPrefix("missing: \(path): 2 files are missing"))
    #expect(text.contains("BraTS20_Training_002_t2.nii"))
    #expect(text.contains("BraTS20_Training_003_seg.nii"))
  }

  @Test func `two files of one sequence are not chosen from`() throws {
    let path = try files.writeBraTS([1, 2])
    try files.writeImage(1, channel: 0, to: "brats/BraTS20_Training_001/again_t1.nii.gz")
    let text = message { _ = try Dataset.load(path) }
    #expect(text.hasPrefix("badData: \(path)/BraTS20_Training_001 holds several files of t1"))
  }

  @Test func `CT-ORG keeps its 21 test cases out of training`() throws {
    let dataset = try Dataset.load(try files.writeCTORG([0, 20, 21, 100]))
    #expect(dataset.channelNames == ["CT"])
    #expect(dataset.labels.map(\.name).dropFirst().first == "liver")
    #expect(dataset.labeledSubjects.map(\.identifier) == ["volume-100", "volume-21"])
    #expect(dataset.testSubjects.map(\.identifier) == ["volume-0", "volume-20"])
    #expect(dataset.testSubjects.allSatisfy { $0.label != nil })
    #expect(dataset.notes.contains { $0.contains("2 cases are not trained on") })
  }

  @Test func `CT-ORG without a label map, and numbers used twice, are named`() throws {
    let path = try files.writeCTORG([21, 22, 23])
    try FileManager.default.removeItem(atPath: "\(path)/OrganSegmentations/labels-22.nii.gz")
    let text = message { _ = try Dataset.load(path) }
    #expect(text.hasPrefix("missing: \(path): 1 file is missing: "))
    #expect(text.hasSuffix("/labels-22.nii.gz"))
    try files.writeImage(21, channel: 0, to: "ctorg/copy/volume-21.nii")
    #expect(message { _ = try Dataset.load(path) }.contains("are both volume 21; keep one"))
  }
}
