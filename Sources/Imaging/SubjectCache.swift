import Files
import Foundation
import Tensors

/// Prepared subjects as files that every process of a host maps: one copy a node, made once.
///
/// A subject is `NAME.KEY.nii` and `NAME.KEY.label.nii`, where KEY is a hash of its files' identity,
/// of the settings and of the data set's labels and channels. So a file that changed, or other
/// settings, give other names, and runs that share a folder do not disturb each other. Files are
/// replaced, never changed; any may be deleted while no run uses it.
package struct SubjectCache: Sendable {
  package let folder: String
  private let preparer: SubjectPreparer

  /// Our choice: a process that waits longer for another's lock prepares the subject itself, for
  /// the other may be stopped. Both write the same bytes.
  private static let patience = 60.0

  /// A cache in `folder`, which is made when the first subject is written.
  package init(folder: String, preparer: SubjectPreparer) {
    self.folder = folder
    self.preparer = preparer
  }

  /// The subject, mapped; prepared first where no process has done so.
  ///
  /// - Throws: what preparing throws; `inputOutput` where the result cannot be written.
  package func subject(_ subject: Subject) throws(ImagingError) -> PreparedSubject {
    let entry = entry(for: subject)
    if let kept = entry.read() { return kept }
    try prepare(subject, into: entry, patience: Self.patience)
    guard let made = entry.read() else {
      throw .inputOutput("\(entry.imagePath) was written, but what is there is something else")
    }
    return made
  }

  /// Sees that the subject is there for later, unless another process is at it now.
  ///
  /// - Throws: as `subject`.
  package func prepareAhead(_ subject: Subject) throws(ImagingError) {
    let entry = entry(for: subject)
    if entry.read() == nil { try prepare(subject, into: entry, patience: 0) }
  }

  private func prepare(
    _ subject: Subject, into entry: CacheEntry, patience: Double
  ) throws(ImagingError) {
    try makeFolder()
    var lock: FileLock?
    var isBusy = false
    do throws(FileError) {
      lock = try FileLock(entry.lockPath, patience: patience)
      isBusy = lock == nil
    } catch {
      // A file system without locks: the work may be done twice, the result is the same.
    }
    defer { extendLifetime(lock) }
    if entry.read() != nil || (isBusy && patience == 0) { return }
    try entry.write(try preparer.prepare(subject), isShared: lock == nil)
  }

  private func makeFolder() throws(ImagingError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .inputOutput(
        "cannot make the folder \(folder) for prepared volumes: \(error.localizedDescription); "
          + "choose another by data.cacheFolder, or none by data.cache: none")
    }
  }

  private func entry(for subject: Subject) -> CacheEntry {
    let contents = KeyContents(
      settings: preparer.settings, channels: preparer.dataset.channelNames.count,
      labels: preparer.dataset.labels.map(\.value),
      ignoredLabel: preparer.dataset.ignoredLabel, files: subject.files,
      identity: preparer.identity(of: subject))
    return CacheEntry(subject: subject, key: contents.key, folder: folder)
  }
}

/// All that a prepared subject depends on.
private struct KeyContents: Codable {
  /// Raised when preparation computes something else, or the files hold something else.
  var version = 1
  var settings: PreparationSettings
  var channels: Int
  var labels: [Int]
  var ignoredLabel: Int?
  var files: [String]
  var identity: SourceIdentity

  /// The SHA-256 of it all, in hexadecimal digits.
  var key: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let hash = Hash()
    hash.update(Array((try? encoder.encode(self)) ?? Data()))
    return hash.hexadecimal()
  }
}

/// The files of one subject.
private struct CacheEntry {
  let subject: Subject
  let key: String
  private let stem: String
  let lockPath: String

  init(subject: Subject, key: String, folder: String) {
    self.subject = subject
    self.key = key
    // 16 digits tell files apart; the whole key is in the file.
    let name = "\(subject.identifier).\(key.prefix(16))"
    stem = "\(folder)/\(name)"
    lockPath = "\(folder)/.\(name).lock"
  }

  var imagePath: String { stem + ".nii" }
  private var labelPath: String { stem + ".label.nii" }

  /// The subject, mapped; nil where a file is missing or damaged.
  func read() -> PreparedSubject? {
    guard let image = PreparedFile(imagePath, of: .float32),
      let path = image.note(PreparationPath.self, key: key),
      path.prepared.extent == image.header.geometry.extent
    else { return nil }
    let shape = Shape(channels: image.header.channels, extent: path.prepared.extent)
    let floats = FloatBuffer(
      readOnly: image.voxels.assumingMemoryBound(to: Float.self), owner: image.file)
    var result = PreparedSubject(
      identifier: subject.identifier, image: VoxelGrid(shape, in: floats), labels: nil,
      foreground: [], path: path)
    guard subject.label != nil else { return result }
    guard let labels = PreparedFile(labelPath, of: .int16),
      let foreground = labels.note([ForegroundClass].self, key: key),
      path.prepared.extent == labels.header.geometry.extent
    else { return nil }
    result.labels = LabelGrid(
      labels.voxels.assumingMemoryBound(to: Int16.self), owner: labels.file)
    result.foreground = foreground
    return result
  }

  /// Writes the labels, then the image.
  func write(_ prepared: PreparedSubject, isShared: Bool) throws(ImagingError) {
    if let labels = prepared.labels {
      try PreparedFile.write(
        UnsafeRawBufferPointer(labels.values), of: .int16, on: prepared.path.prepared,
        note: .init(key: key, contents: prepared.foreground), to: labelPath, isShared: isShared)
    }
    try PreparedFile.write(
      UnsafeRawBufferPointer(prepared.image.values), of: .float32,
      channels: prepared.image.shape.channels, on: prepared.path.prepared,
      note: .init(key: key, contents: prepared.path), to: imagePath, isShared: isShared)
  }
}
