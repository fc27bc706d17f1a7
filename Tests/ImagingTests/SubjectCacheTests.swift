import Foundation
import Imaging
import Synchronization
import Tensors
import TestSupport
import Testing

/// Prepared subjects on disk are those in memory, bit for bit, and are made when they must be.
@Suite(.timeLimit(.minutes(1))) struct SubjectCacheTests {
  private let data: TinyDataset
  private let dataset: Dataset
  private let folder: TemporaryFolder
  private let prepared = Counter()

  private final class Counter: Sendable {
    private let identifiers = Mutex<[String]>([])
    func add(_ identifier: String) { identifiers.withLock { $0.append(identifier) } }
    var all: [String] { identifiers.withLock { $0 } }
  }

  init() throws {
    data = try TinyDataset()
    dataset = try Dataset.load(data.path)
    folder = try TemporaryFolder()
  }

  private static let settings = PreparationSettings(
    spacing: [1.3, 1, 1.1], normalization: [.zscore])

  /// A cache as another run with the data set as it is now has it.
  private func cache(
    _ settings: PreparationSettings = settings, in place: String? = nil
  ) -> SubjectCache {
    SubjectCache(folder: place ?? folder.file("prepared"), preparer: preparer(settings))
  }

  private func preparer(_ settings: PreparationSettings = settings) -> SubjectPreparer {
    let identities = dataset.subjects.map { ($0, SourceIdentity(of: $0)) }
    var preparer = SubjectPreparer(
      dataset: dataset, settings: settings,
      identities: Dictionary(uniqueKeysWithValues: identities), bytes: 1 << 20)
    preparer.willPrepare = { [prepared] in prepared.add($0) }
    return preparer
  }

  private var files: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.file("prepared")).sorted()) ?? []
  }

  private func path(_ ending: String) throws -> String {
    let name = files.first { $0.hasSuffix(ending) && !$0.hasSuffix("label" + ending) }
    return folder.file("prepared/" + (try #require(name)))
  }

  @Test(arguments: [Augmentation.Preset.none, .default])
  func `patches of a mapped subject are those of one in memory`(preset: Augmentation.Preset) throws
  {
    let cache = cache()
    let sampler = PatchSampler(
      patchExtent: Extent(xyz: [12, 11, 10]), foregroundFraction: 0.5,
      augmentation: Augmentation(preset: preset), seed: 3)
    for subject in dataset.subjects {
      let plain = try Preparation.prepare(subject, dataset: dataset, settings: Self.settings)
      // The first is made, the second found.
      for mapped in [try cache.subject(subject), try cache.subject(subject)] {
        #expect(mapped.path == plain.path)
        #expect(mapped.foreground == plain.foreground)
        for position in 0..<12 {
          let patch = sampler.sample(mapped, epoch: 1, position: position)
          let expected = sampler.sample(plain, epoch: 1, position: position)
          #expect(patch.corner == expected.corner && patch.labels == expected.labels)
          #expect(patch.image.values.elementsEqual(expected.image.values))
        }
      }
    }
    #expect(prepared.all == dataset.subjects.map(\.identifier))
  }

  @Test func `another run finds what was prepared`() throws {
    _ = try cache().subject(dataset.subjects[0])
    #expect(prepared.all == ["case_0"])
    _ = try cache().subject(dataset.subjects[0])
    try cache().prepareAhead(dataset.subjects[0])
    #expect(prepared.all == ["case_0"])
    #expect(files.count == 2)
  }

  @Test func `the files can be opened as NIfTI`() throws {
    let subject = try cache().subject(dataset.subjects[1])
    let image = try NIfTI.readImage(path(".nii"))
    #expect(image.grid.values.elementsEqual(subject.image.values))
    #expect(image.geometry.matches(subject.path.prepared, tolerance: 1e-5))
    let labels = try NIfTI.readLabels(path(".label.nii"))
    #expect(try labels.labels == Array(#require(subject.labels)))
  }

  @Test func `a changed file is prepared again`() throws {
    let first = try cache().subject(dataset.subjects[1])
    try data.fillImage(1, with: 7)
    let second = try cache().subject(dataset.subjects[1])
    #expect(prepared.all == ["case_1", "case_1"])
    #expect(!first.image.values.elementsEqual(second.image.values))
    #expect(files.count == 4)
  }

  @Test func `other settings are prepared beside the first`() throws {
    let subject = dataset.subjects[0]
    let first = try cache().subject(subject)
    var settings = Self.settings
    settings.normalization = [.none]
    let second = try cache(settings).subject(subject)
    #expect(first.image.values.first != second.image.values.first)
    settings.orientation = "LPS"
    _ = try cache(settings).subject(subject)
    settings.spacing = nil
    _ = try cache(settings).subject(subject)
    #expect(prepared.all.count == 4)
    _ = try cache().subject(subject)
    #expect(prepared.all.count == 4)
  }

  @Test(
    arguments: [".nii", ".label.nii"], ["cut", "emptied", "removed", "overwritten", "renamed"])
  func `a damaged entry is made again`(ending: String, damage: String) throws {
    let subject = dataset.subjects[0]
    let first = try cache().subject(subject)
    let path = try path(ending)
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    switch damage {
    case "cut": bytes.removeLast(1)
    case "emptied": bytes = []
    case "overwritten": bytes.replaceSubrange(0..<400, with: [UInt8](repeating: 0x5A, count: 400))
    // Another subject's file under this name.
    case "renamed":
      _ = try cache().subject(dataset.subjects[1])
      let other = path.replacing("case_0", with: "case_1")
      let folder = URL(fileURLWithPath: other).deletingLastPathComponent().path
      let name = try #require(
        FileManager.default.contentsOfDirectory(atPath: folder).first {
          $0.hasPrefix("case_1.") && $0.hasSuffix(ending)
            && (ending == ".label.nii") == $0.hasSuffix(".label.nii")
        })
      bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    default: break
    }
    try FileManager.default.removeItem(atPath: path)
    if damage != "removed" { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    let again = try cache().subject(subject)
    #expect(prepared.all.filter { $0 == "case_0" }.count == 2)
    #expect(again.image.values.elementsEqual(first.image.values))
  }

  @Test func `many at once prepare a subject once and leave nothing behind`() {
    DispatchQueue.concurrentPerform(iterations: 12) { index in
      let subject = dataset.subjects[index % 3]
      let found = try? cache().subject(subject)
      #expect(found?.identifier == subject.identifier)
    }
    #expect(prepared.all.sorted() == ["case_0", "case_1", "case_2"])
    #expect(files.count == 6 && files.allSatisfy { $0.hasSuffix(".nii") })
  }

  @Test func `what a killed run left is no obstacle`() throws {
    _ = try cache().subject(dataset.subjects[0])
    let image = try path(".nii")
    try FileManager.default.removeItem(atPath: image)
    let name = URL(fileURLWithPath: image).lastPathComponent
    try folder.write([1], to: "prepared/.\(name).partial")
    try folder.write([], to: "prepared/." + name.replacing(".nii", with: ".lock"))
    _ = try cache().subject(dataset.subjects[0])
    #expect(prepared.all.count == 2)
    #expect(files.count == 2)
  }

  @Test func `a folder that cannot be made names the key`() throws {
    let text = message { _ = try cache(in: "/proc/prepared").subject(dataset.subjects[0]) }
    #expect(text.hasPrefix("inputOutput: cannot make the folder /proc/prepared for prepared"))
    #expect(text.contains("data.cacheFolder") && text.contains("data.cache: none"))
  }

  @Test func `a file that changes while the run goes on is noticed`() throws {
    let (preparer, cache) = (preparer(), cache())
    _ = try cache.subject(dataset.subjects[0])
    try data.fillImage(0, with: 1)
    try data.fillImage(1, with: 1)
    // What is prepared already stays what it was when the run began.
    #expect(try cache.subject(dataset.subjects[0]).identifier == "case_0")
    for body in [{ try preparer.prepare($0) }, { try cache.subject($0) }]
      as [(Subject) throws ->
      PreparedSubject]
    {
      let text = message { _ = try body(dataset.subjects[1]) }
      #expect(text.hasPrefix("badData: \(data.image(1)) of subject case_1 was changed after"))
    }
  }

  @Test func `writing to a mapped image changes a copy`() throws {
    let subject = try cache().subject(dataset.subjects[0])
    var image = subject.image
    image.mutableValues().update(repeating: 9)
    #expect(image.values.allSatisfy { $0 == 9 })
    #expect(!subject.image.values.contains(9))
  }

  @Test func `subjects are prepared ahead in order, and errors are left for their user`() throws {
    try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(1)))
    let cache = cache()
    let ahead = PreparationAhead(threads: 1, subjects: dataset.subjects.reversed()) {
      subject throws(ImagingError) in try cache.prepareAhead(subject)
    }
    let deadline = Date(timeIntervalSinceNow: 20)
    while files.filter({ !$0.hasPrefix(".") }).count < 4 && Date() < deadline {
      Thread.sleep(forTimeInterval: 0.001)
    }
    ahead.stop()
    #expect(prepared.all == ["case_2", "case_1", "case_0"])
    #expect(message { _ = try cache.subject(dataset.subjects[1]) }.contains("case_1.nii.gz"))
  }
}
