import Glibc

/// Replaces a file only when the new one is complete and on the disk.
package enum AtomicFile {
  /// Writes a new `path` through `body`: temporary name in the same folder, sync, rename, and a
  /// sync of the folder.
  ///
  /// - Parameter kind: what errors call the file, such as "checkpoint".
  /// - Throws: `inputOutput`; the temporary is then gone and the file that was there untouched.
  package static func write(
    _ path: String, kind: String, _ body: (OutputFile) throws(FileError) -> Void
  ) throws(TrainingError) {
    let folder = Paths.folder(of: path)
    let temporary = folder + "/." + Paths.name(of: path) + ".partial"
    do throws(FileError) {
      unlink(temporary)
      try fill(temporary, body)
      guard rename(temporary, path) == 0 else { throw .last }
    } catch {
      unlink(temporary)
      throw .inputOutput(
        "cannot write the \(kind) \(path): \(error.reason); a \(kind) that was there before is "
          + "untouched: make room or check the folder's permissions and run again")
    }
    // The new file is in place; where a file system cannot sync a folder, that is no failure.
    if let entry = try? OutputFolder(folder) { entry.sync() }
  }

  /// Writes a new `path` that holds `text`.
  package static func write(_ text: String, to path: String, kind: String) throws(TrainingError) {
    try write(path, kind: kind) { file throws(FileError) in try file.write(text) }
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
