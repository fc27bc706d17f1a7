import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// Scores, comparisons and what bad input leads to, through `lkdist evaluate`.
@Suite struct EvaluateCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for part in ["predictions", "references"] {
      try FileManager.default.createDirectory(
        atPath: folder.file(part), withIntermediateDirectories: true)
    }
  }

  private static let geometry = Geometry(
    extent: Extent(depth: 4, height: 8, width: 8), affine: Affine(spacing: [1, 1, 2]))

  /// Writes a slab of a label from `first` to the end of x.
  private func write(
    _ name: String, _ label: Int16 = 1, from first: Int, geometry: Geometry = Self.geometry
  ) throws {
    let labels = (0..<geometry.extent.voxels).map { $0 % 8 >= first ? label : 0 }
    try NIfTI.write(LabelMap(labels: labels, geometry: geometry), to: folder.file(name))
  }

  private func writePair(_ name: String, _ label: Int16 = 1, from first: Int, _ other: Int) throws {
    try write("predictions/\(name).nii.gz", label, from: first)
    try write("references/\(name).nii.gz", label, from: other)
  }

  private func evaluate(_ words: String...) throws -> Command.Result {
    try Command.run([Command.lkdist, "evaluate"] + words)
  }

  private func evaluateFolders(_ words: String...) throws -> Command.Result {
    try Command.run(
      [Command.lkdist, "evaluate", folder.file("predictions"), folder.file("references")] + words)
  }

  private func json(_ name: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(folder.bytes(name)))
    return try #require(value as? [String: Any])
  }

  private func describe(_ labels: String) throws -> String {
    let text = #"{"channel_names": {"0": "CT"}, "labels": {\#(labels)}}"#
    try folder.write(Array(text.utf8), to: "dataset.json")
    return folder.file("dataset.json")
  }

  @Test func `scores go to the table, to JSON and to CSV`() throws {
    try writePair("a", from: 2, 4)
    try writePair("b", from: 3, 3)
    let labels = try describe(#""background": 0, "slab": 1"#)
    let result = try evaluateFolders(
      "--labels", labels, "-o", folder.file("out/metrics.json"), "--tolerance", "slab=2")
    #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
    #expect(result.output.contains("Conventions: standard. Dice 2|X and Y|"))
    #expect(result.output.contains("1 slab") && result.output.contains("± sd"))
    let entry = try #require(
      ((try json("out/metrics.json")["subjects"] as? [String: Any])?["a"] as? [String: Any])?["1"]
        as? [String: Any])
    #expect(entry["name"] as? String == "slab" && entry["hd95"] as? Double == 2)
    #expect(entry["dice"] as? Double == 0.8 && entry["nsd"] as? Double == 1)
    // 6 x 8 x 4 voxels of 2 mm^3 against 4 x 8 x 4.
    #expect(entry["volume_difference"] as? Double == 0.128)
    #expect(entry["lesion_f1"] as? Double == 1)
    let csv = try folder.text("out/metrics.csv")
    #expect(csv.contains("a,1,slab,0.8,2.0,1.0,0.128,0.8,1.0"), "\(csv)")
  }

  @Test func `results that exist are kept unless they may be replaced`() throws {
    try writePair("a", from: 2, 4)
    try folder.write(Array("mine".utf8), to: "metrics.csv")
    let output = folder.file("metrics.json")
    let refused = try evaluateFolders("-o", output)
    #expect(refused.code == 74 && refused.errors.contains("metrics.csv exists"))
    #expect(refused.errors.contains("--overwrite") && refused.output.isEmpty)
    #expect(try folder.text("metrics.csv") == "mine")
    #expect(!FileManager.default.fileExists(atPath: output))
    #expect(try evaluateFolders("-o", output, "--overwrite").code == 0)
    #expect(try folder.text("metrics.csv").hasPrefix("subject,class"))
  }

  @Test func `bad subjects are listed at the end and the others are scored`() throws {
    try writePair("good", from: 2, 4)
    var moved = Self.geometry
    moved.affine.origin[0] += 5
    try write("predictions/moved.nii.gz", from: 2, geometry: moved)
    try write("references/moved.nii.gz", from: 2)
    try write("predictions/alone.nii.gz", from: 2)
    try write("predictions/strange.nii.gz", 7, from: 2)
    try write("references/strange.nii.gz", from: 2)
    try write("predictions/cut.nii.gz", from: 2)
    try write("references/cut.nii.gz", from: 2)
    try folder.write(
      Array(folder.bytes("predictions/cut.nii.gz").prefix(60)), to: "predictions/cut.nii.gz")
    try write("references/unused.nii.gz", from: 2)
    let labels = try describe(#""background": 0, "slab": 1"#)
    let result = try evaluateFolders("--labels", labels, "-o", folder.file("metrics.json"))
    #expect(result.code == 65, "\(result.errors)")
    #expect(result.errors.hasPrefix("lkdist: 1 of 5 references have no prediction in"))
    #expect(result.errors.contains("4 subjects were not scored:"))
    for part in [
      "moved: ", "different grids", "alone.nii.gz has no reference",
      "strange.nii.gz holds label 7",
      "cut.nii.gz",
    ] {
      #expect(result.errors.contains(part), "\(part): \(result.errors)")
    }
    let subjects = try json("metrics.json")["subjects"] as? [String: Any]
    #expect(subjects?.keys.sorted() == ["good"])
    let failed = try json("metrics.json")["failed"] as? [String: String]
    #expect(failed?.keys.sorted() == ["alone", "cut", "moved", "strange"])
    #expect(result.output.contains("1 subject."))
  }

  @Test func `files that a data set lists and are not there leave the others scored`() throws {
    let data = try TinyDataset()
    let predictions = data.folder.file("predictions")
    try FileManager.default.copyItem(atPath: data.folder.file("labelsTr"), toPath: predictions)
    try FileManager.default.removeItem(atPath: data.label(1))
    try FileManager.default.removeItem(atPath: data.image(2))
    let result = try evaluate(predictions, data.path)
    #expect(result.code == 65, "\(result.errors)")
    #expect(
      result.errors.contains("1 subject was not scored") && result.errors.contains("case_1: "))
    #expect(result.output.contains("2 subjects."), "\(result.output)")
  }

  @Test func `where nothing can be scored nothing is written`() throws {
    let empty = try evaluateFolders("-o", folder.file("metrics.json"))
    #expect(empty.code == 66 && empty.errors.contains("no .nii or .nii.gz file"))
    try write("predictions/alone.nii.gz", from: 2)
    let alone = try evaluateFolders("-o", folder.file("metrics.json"))
    #expect(
      alone.code == 66 && alone.errors.contains("1 subject was not scored"), "\(alone.errors)")
    let nowhere = try evaluate("nowhere", folder.file("references"))
    #expect(nowhere.code == 66 && nowhere.errors.contains("nowhere"))
    #expect(!folder.names.contains { $0.hasPrefix("metrics") })
  }

  @Test func `BraTS conventions score its regions and name labels that it does not have`() throws {
    try writePair("a", 4, from: 2, 2)
    try writePair("b", 1, from: 2, 2)
    try write("predictions/b.nii.gz", 4, from: 2)
    let result = try evaluateFolders("--conventions", "brats", "--json")
    #expect(result.code == 0, "\(result.errors)")
    for part in [#""conventions" : "brats""#, #""ET" : {"#, #""WT" : {"#, "373.13"] {
      #expect(result.output.contains(part), "\(part)")
    }
    try writePair("c", 3, from: 2, 2)
    let strange = try evaluateFolders("--conventions", "brats")
    #expect(strange.code == 65 && strange.errors.contains("label 3"))
    let labels = try describe(#""background": 0, "slab": 1"#)
    let other = try evaluateFolders("--conventions", "brats", "--labels", labels)
    #expect(other.code == 65 && other.errors.contains("regions"), "\(other.errors)")
  }

  @Test func `two runs are compared subject by subject`() throws {
    for subject in 0..<6 { try writePair("case_\(subject)", from: 2 + subject % 3, 4) }
    #expect(try evaluateFolders("-o", folder.file("a.json")).code == 0)
    for subject in 0..<6 { try writePair("case_\(subject)", from: 3 + subject % 2, 4) }
    #expect(try evaluateFolders("-o", folder.file("b.json")).code == 0)
    let result = try evaluate(
      "--compare", folder.file("a.json"), folder.file("b.json"), "-o", folder.file("c.json"))
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.output.contains("t-test p") && result.output.contains("mean of 1 class"))
    let measures = try json("c.json")["measures"] as? [String: Any]
    let row = (measures?["dice"] as? [String: Any])?["foreground"] as? [String: Any]
    #expect(row?["n"] as? Int == 6 && (row?["t_p"] as? Double ?? 2) < 1)
    #expect(row?["wilcoxon_method"] as? String == "exact")
    #expect(try folder.text("c.csv").hasPrefix("measure,class,name,n,a,b,difference"))
    let missing = try evaluate("--compare", folder.file("a.json"), folder.file("d.json"))
    #expect(missing.code == 66 && missing.errors.contains("d.json"))
    #expect(try evaluate("--compare", folder.file("a.json")).code == 64)
  }

  @Test func `what cannot be meant is a usage error`() throws {
    #expect(try evaluate().code == 64)
    #expect(try evaluate("predictions").code == 64)
    #expect(try evaluateFolders("--runs", "r").code == 64)
    #expect(try evaluateFolders("--tolerance", "-1").code == 64)
    #expect(try evaluateFolders("--tolerance", "liver=far").code == 64)
    #expect(try evaluateFolders("--conventions", "acdc").code == 64)
    try writePair("a", from: 2, 4)
    let unknown = try evaluateFolders("--tolerance", "liver=2")
    #expect(unknown.code == 66 && unknown.errors.contains("--tolerance liver: no such class"))
  }

  @Test func `ranks share the subjects and one of them speaks`() throws {
    for subject in 0..<3 { try writePair("case_\(subject)", from: 2 + subject, 4) }
    let words = ["evaluate", folder.file("predictions"), folder.file("references"), "--json"]
    let alone = try Command.run([Command.lkdist] + words)
    let together = try Command.lkdist(
      ranks: 2, words[0], words[1], words[2], words[3])
    #expect(alone.code == 0 && together.code == 0, "\(together.errors)")
    #expect(alone.output == together.output)
  }
}
