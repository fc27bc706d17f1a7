import Foundation
import Imaging
import Tensors
import Testing

@Suite struct SampleDatasetTests {
  private static let hasTemplates = FileManager.default.fileExists(
    atPath: "/usr/share/mricron/templates/aal.nii.gz")

  @Test(.enabled(if: hasTemplates, "apt-get install mricron-data"))
  func `two hemispheres become a data set that loads and splits`() throws {
    try ImagingFixtures.withFolder { folder in
      let target = "\(folder)/sample data"
      try SampleDataset.write(to: target)
      let dataset = try Dataset.load(target)
      #expect(dataset.subjects.map(\.identifier) == ["colin_left", "colin_right"])
      #expect(dataset.labels.map(\.name).dropFirst().first == "hippocampus")
      let split = try Folds.split(
        subjects: dataset.subjects.map(\.identifier), file: "\(target)/splits_final.json", fold: 0)
      #expect(split == Split(training: ["colin_left"], validation: ["colin_right"]))
      var sides: [Geometry] = []
      for subject in dataset.subjects {
        let prepared = try Preparation.prepare(
          subject, dataset: dataset, settings: PreparationSettings())
        #expect(prepared.foreground.map(\.value) == [1, 2, 3, 4, 5])
        #expect(prepared.path.stored.extent.xyz.allSatisfy { $0 % 16 == 0 })
        #expect(prepared.foreground.allSatisfy { $0.voxels > 2000 })
        sides.append(prepared.path.stored)
      }
      let leftEnd = sides[0].affine.position(x: Double(sides[0].extent.width - 1), y: 0, z: 0)
      #expect(leftEnd.x == -1 && sides[1].affine.origin.x == 1)
    }
  }

  @Test(.enabled(if: hasTemplates, "apt-get install mricron-data"))
  func `files of the user are never replaced`() throws {
    try ImagingFixtures.withFolder { folder in
      try SampleDataset.write(to: folder)
      try SampleDataset.write(to: folder)
      let configuration = URL(fileURLWithPath: "\(folder)/lkdist.yaml")
      try Data("name: mine\n".utf8).write(to: configuration)
      try FileManager.default.removeItem(atPath: "\(folder)/dataset.json")
      let text = message { try SampleDataset.write(to: folder) }
      #expect(text.hasPrefix("inputOutput: \(folder)/lkdist.yaml exists with other contents"))
      #expect(try Data(contentsOf: configuration) == Data("name: mine\n".utf8))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/dataset.json"))
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["imagesTr", "labelsTr", "lkdist.yaml", "splits_final.json"])
    }
  }

  /// LKDIST_SAMPLE_DIR gets the sample data, to look at.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LKDIST_SAMPLE_DIR"] != nil))
  func `the sample data to look at`() throws {
    let folder = ProcessInfo.processInfo.environment["LKDIST_SAMPLE_DIR"] ?? "."
    let spent = try ContinuousClock().measure { try SampleDataset.write(to: folder) }
    print("sample data written in \(spent)")
  }

  @Test func `absent templates say what to install`() throws {
    try ImagingFixtures.withFolder { folder in
      let text = message { try SampleDataset.write(to: folder, templates: "\(folder)/none") }
      #expect(text.hasPrefix("missing: \(folder)/none/ch2.nii.gz"))
      #expect(text.hasSuffix("apt-get install mricron-data"))
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(names.isEmpty)
    }
  }
}
