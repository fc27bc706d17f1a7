import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// The five layouts read alike, and are told apart by their files.
@Suite struct LayoutTests {
  private func prepared(_ path: String, _ identifier: String) throws -> PreparedSubject {
    let dataset = try Dataset.load(path).labeled()
    let subject = try #require(dataset.subjects.first { $0.identifier == identifier })
    return try Preparation.prepare(
      subject, dataset: dataset, settings: PreparationSettings(spacing: [1.2, 1.2, 1.2]))
  }

  private func expectSame(_ subjects: [PreparedSubject]) throws {
    let first = try #require(subjects.first)
    #expect(first.labels?.contains(4) == true)
    for other in subjects.dropFirst() {
      #expect(other.image.shape == first.image.shape)
      #expect(values(of: other.image) == values(of: first.image))
      #expect(other.labels.map(Array.init) == first.labels.map(Array.init))
      #expect(other.path.stored == first.path.stored)
    }
  }

  @Test func `MSD, nnU-Net, BraTS and datalist forms of a case prepare to the same voxels`() throws
  {
    let files = try LayoutFixtures()
    try expectSame([
      prepared(files.writeMSD([3]), "case_3"), prepared(files.writeNNUNet([3]), "case_3"),
      prepared(files.writeNNUNet([3], in: "regions", labels: LayoutFixtures.regions), "case_3"),
      prepared(files.writeBraTS([3]), "BraTS20_Training_003"),
      prepared(files.writeDatalist([3]), "case_3"),
    ])
  }

  @Test func `the CT-ORG form of a case prepares to the same voxels`() throws {
    let files = try LayoutFixtures(channels: 1)
    try expectSame([
      prepared(files.writeMSD([21]), "case_21"), prepared(files.writeNNUNet([21]), "case_21"),
      prepared(files.writeCTORG([21]), "volume-21"),
      prepared(files.writeDatalist([21]), "case_21-t1"),
    ])
  }

  @Test func `each layout is seen from its files, and said with the reason`() throws {
    let files = try LayoutFixtures()
    let paths: [(String, DatasetLayout, String)] = [
      (try files.writeMSD([1]), .msd, "layout msd: "),
      (try files.writeNNUNet([1]), .nnunet, "has the key file_ending"),
      (try files.writeBraTS([1]), .brats2020, "holds t1, t1ce, t2 and flair images"),
      (try files.writeCTORG([30]), .ctOrg, "has its labels beside it"),
      (try files.writeDatalist([1]), .datalist, "lists subjects"),
      (files.folder.file("datalist"), .datalist, "list.json lists subjects"),
    ]
    for (path, layout, reason) in paths {
      let dataset = try Dataset.load(path)
      #expect(dataset.layout == layout)
      #expect(dataset.notes.first?.contains(reason) == true, "\(dataset.notes)")
      #expect(try Dataset.load(path, layout: layout).subjects == dataset.subjects)
      #expect(dataset.subjects.allSatisfy { !$0.source.isEmpty })
    }
  }

  @Test func `a folder of none of the layouts says what was looked for`() throws {
    let files = try LayoutFixtures(channels: 1)
    let empty = message { _ = try Dataset.load(files.folder.path) }
    #expect(empty.hasPrefix("missing: \(files.folder.path) holds no data set"))
    #expect(empty.contains("dataset.json") && empty.contains("volume-N"))
    _ = try files.writeMSD([1])
    let part = message { _ = try Dataset.load(files.folder.file("msd/imagesTr")) }
    #expect(part.contains("is a part of the data set \(files.folder.file("msd"))"))
    let image = files.folder.file("msd/imagesTr/case_1.nii.gz")
    #expect(message { _ = try Dataset.load(image) }.contains("lists no subjects"))
    let images = try Dataset.recognize(files.folder.file("msd/imagesTr"))
    #expect(images?.name == nil)
  }

  @Test func `a folder of several layouts is not guessed at`() throws {
    let files = try LayoutFixtures()
    _ = try files.writeBraTS([1])
    _ = try files.writeCTORG([30])
    let text = message { _ = try Dataset.load(files.folder.path) }
    #expect(text.hasPrefix("configuration: \(files.folder.path) can be read in several ways"))
    #expect(
      text.contains("brats2020 (") && text.contains("ct-org (") && text.contains("data.layout"))
    #expect(try Dataset.load(files.folder.path, layout: .ctOrg).subjects.count == 1)
    _ = try files.writeDatalist([1])
    try files.write(#"{"training": ["a.nii"]}"#, to: "datalist/other.json")
    #expect(
      message { _ = try Dataset.load(files.folder.file("datalist")) }
        .contains("2 datalists (list.json, other.json)"))
  }

  @Test(.timeLimit(.minutes(1))) func `links in a circle end, and links to folders are followed`()
    throws
  {
    let files = try LayoutFixtures()
    let manager = FileManager.default
    let cases = try files.writeBraTS([1], in: "cases")
    for (link, target) in [
      ("cases/loop", "../cases"), ("cases/up", ".."), ("cases/a", "b"), ("cases/b", "a"),
      ("cases/broken.nii.gz", "nowhere"), ("view/linked", "../cases"),
    ] {
      try manager.createSymbolicLink(
        atPath: try files.path(link), withDestinationPath: target)
    }
    #expect(try Dataset.load(cases).subjects.map(\.identifier) == ["BraTS20_Training_001"])
    let seen = try Dataset.load(files.folder.file("view"))
    #expect(seen.subjects.map(\.identifier) == ["BraTS20_Training_001"])
  }

  @Test func `names with spaces and other letters are read in every layout`() throws {
    let files = try LayoutFixtures()
    let name = "Größe 中 ünd"
    let paths = [
      try files.writeMSD([1], in: "\(name)/msd"), try files.writeNNUNet([1], in: "\(name)/nnunet"),
      try files.writeBraTS([1], in: "\(name)/brats"), try files.writeCTORG([40], in: "\(name)/ct"),
      try files.writeDatalist([1], in: "\(name)/list"),
    ]
    for path in paths {
      let dataset = try Dataset.load(path)
      let label = try #require(dataset.labeledSubjects.first?.label)
      #expect(try NIfTI.readLabels(label).labels.contains(4), "\(path)")
    }
  }
}
