import Foundation

/// Replaces a file only when the new one is complete and on the disk.
package enum AtomicFile {
  /// Writes a new `path` through `body`: temporary name in the same folder, sync, rename, and a
  /// sync of the folder.
  ///
  /// - Parameters:
  ///   - kind: what errors call the file, such as "checkpoint".
  ///   - willReplace: is called when the new file is complete, before it takes the old one's name.
  /// - Throws: `inputOutput`; the temporary is then gone and the file that was there untouched.
  package static func write(
    _ path: String, kind: String, willReplace: () throws(FileError) -> Void = {},
    _ body: (OutputFile) throws(FileError) -> Void
  ) throws(TrainingError) {
    let folder = Paths.folder(of: path)
    let temporary = folder + "/" + temporaryPrefix + Paths.name(of: path) + temporarySuffix
    do throws(FileError) {
      unlink(temporary)
      try fill(temporary, body)
      try willReplace()
      guard rename(temporary, path) == 0 else { throw .last }
    } catch {
      unlink(temporary)
      let free = freeBytes(in: folder).map { " (\($0 >> 20) MiB are free)" } ?? ""
      throw .inputOutput(
        "cannot write the \(kind) \(path): \(error.reason)\(free); a \(kind) that was there before "
          + "is untouched: make room or check the folder's permissions")
    }
    // The new file is in place; where a file system cannot sync a folder, that is no failure.
    if let entry = try? OutputFolder(folder) { entry.sync() }
  }

  /// Writes a new `path` that holds `text`.
  package static func write(_ text: String, to path: String, kind: String) throws(TrainingError) {
    try write(path, kind: kind) { file throws(FileError) in try file.write(text) }
  }

  /// Removes what processes that were killed in the middle of a write have left in `folder`.
  static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(temporaryPrefix) && name.hasSuffix(temporarySuffix) {
      unlink(folder + "/" + name)
    }
  }

  private static let temporaryPrefix = "."
  private static let temporarySuffix = ".partial"

  /// The bytes that the user may still write to the file system of `folder`; nil where it cannot
  /// say.
  private static func freeBytes(in folder: String) -> Int? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  private static func fill(
    _ temporary: String, _ body: (OutputFile) throws(FileError) -> Void
  ) throws(FileError) {
    let file = try OutputFile(temporary, flags: O_CREAT | O_EXCL)
    try body(file)
    try file.sync()
  }
}

/// A folder open to be synced.
private struct OutputFolder: ~Copyable {
  private let descriptor: Int32

  init(_ path: String) throws(FileError) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last }
  }

  deinit { close(descriptor) }

  func sync() { fsync(descriptor) }
}
