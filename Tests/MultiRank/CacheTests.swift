import Collectives
import Foundation
import Imaging
import Synchronization
import Tensors
import TestSupport
import Training

/// The ranks of a host prepare each subject once.
func cacheTests() -> [MultiRankTest] {
  [
    MultiRankTest("the ranks of a host prepare each subject once") { world, checks in
      let data = world.rank == 0 ? try TinyDataset(subjects: 6) : nil
      let path = try world.broadcast(data?.configuration ?? "")
      let configuration = try Configuration.load(path, overrides: ["data.cacheFolder=\(path).d"])
      let setup = try RunSetup(configuration, world: world)
      let subjects = setup.training + setup.validation
      let prepared = Mutex(0)
      let store = setup.store(of: subjects) { _ in prepared.withLock { $0 += 1 } }
      for index in subjects.indices {
        _ = try store.subject(subjects[(index + 2 * world.rank) % subjects.count].identifier)
      }
      checks.equal(try world.allreduceSum(prepared.withLock { $0 }), subjects.count)
      try FileManager.default.removeItem(atPath: path + ".d", after: world)
      withExtendedLifetime(data) {}
    }
  ]
}

/// The ranks of a host share one copy of each subject.
func mappedMemoryTests() -> [MultiRankTest] {
  [
    MultiRankTest("a rank's own memory does not grow with a mapped data set") { world, checks in
      let folder = world.rank == 0 ? try TemporaryFolder() : nil
      let volumes = try Volumes(in: try world.broadcast(folder?.path ?? ""), world: world)
      let limit = 8 << 20
      let mapped = try volumes.growth { try volumes.cache.subject($0) }
      checks.expect(mapped < limit, "\(mapped >> 10) KiB more for \(volumes.bytes >> 10) of data")
      // The measure would show it.
      let store = SubjectStore { identifier throws(ImagingError) in
        try volumes.cache.subject(volumes.named(identifier)).copied
      }
      let copied = try volumes.growth { try store.subject($0.identifier) }
      checks.expect(copied > volumes.bytes / 2, "\(copied >> 10) KiB of copies")
      try world.barrier()
      withExtendedLifetime(folder) {}
    }
  ]
}

extension FileManager {
  /// Removes a folder when every rank is done with it.
  fileprivate func removeItem(atPath path: String, after world: Communicator) throws {
    try world.barrier()
    if world.rank == 0 { try removeItem(atPath: path) }
  }
}

/// 40 subjects of 64^3 voxels, written by the root for all.
private struct Volumes {
  private static let extent = Extent(depth: 64, height: 64, width: 64)
  private static let count = 40
  private let subjects: [Subject]
  let cache: SubjectCache
  /// Bytes of all but the first eight subjects.
  let bytes = (count - 8) * extent.voxels * 6
  private let sampler = PatchSampler(
    patchExtent: Extent(depth: 32, height: 32, width: 32), foregroundFraction: 1, seed: 1)

  init(in folder: String, world: Communicator) throws {
    subjects = (0..<Self.count).map { index in
      Subject(
        identifier: "case_\(index)", images: ["\(folder)/image_\(index).nii"],
        label: "\(folder)/label_\(index).nii")
    }
    if world.rank == 0 { for subject in subjects { try Self.write(subject) } }
    try world.barrier()
    let dataset = Dataset(
      name: "volumes", channelNames: ["MRI"],
      labels: [DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 1, name: "ball")],
      subjects: subjects)
    let identities = subjects.map { ($0, SourceIdentity(of: $0)) }
    cache = SubjectCache(
      folder: folder + "/prepared",
      preparer: SubjectPreparer(
        dataset: dataset, settings: PreparationSettings(),
        identities: Dictionary(uniqueKeysWithValues: identities), bytes: 1 << 24))
  }

  func named(_ identifier: String) -> Subject {
    subjects.first { $0.identifier == identifier } ?? subjects[0]
  }

  private static func write(_ subject: Subject) throws {
    let geometry = Geometry(extent: extent, affine: Affine(spacing: [1, 1, 1]))
    let labels = (0..<extent.voxels).map { Int16($0 / 64 % 64 / 32) }
    let values = labels.enumerated().map { Float($0 % 97) + Float($1) + 1 }
    try NIfTI.write(
      Volume(
        grid: VoxelGrid(Shape(channels: 1, extent: extent), values: values), geometry: geometry),
      to: subject.images[0])
    try NIfTI.write(LabelMap(labels: labels, geometry: geometry), to: subject.label ?? "")
  }

  /// Bytes of this process's own memory that patches of all subjects take beyond those of eight.
  func growth(_ subject: (Subject) throws -> PreparedSubject) throws -> Int {
    // All are prepared before: only reading is measured.
    for one in subjects { try cache.prepareAhead(one) }
    for one in subjects.prefix(8) { _ = sampler.sample(try subject(one), epoch: 0, position: 0) }
    let before = try ownBytes()
    for one in subjects { _ = sampler.sample(try subject(one), epoch: 0, position: 0) }
    return try ownBytes() - before
  }

  /// RssAnon, which counts neither the page cache nor what is shared.
  private func ownBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return 1024 * (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
  }
}

extension PreparedSubject {
  /// The subject with memory of its own.
  fileprivate var copied: PreparedSubject {
    PreparedSubject(
      identifier: identifier, image: VoxelGrid(image.shape, values: Array(image.values)),
      labels: labels.map { Array($0) }, path: path)
  }
}
