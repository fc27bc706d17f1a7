import Foundation

/// Replaces a file only when the new one is complete and on the disk.
package enum AtomicFile {
  /// Replaces `path` by what `fill` makes under a temporary name in the same folder: sync, rename,
  /// and a sync of the folder.
  ///
  /// - Parameters:
  ///   - isShared: whether other processes may replace the same file at the same time; the
  ///     temporary then has a name of its own, which a crash leaves behind.
  ///   - failure: the caller's error for a refusal of the system.
  ///   - willReplace: is called when the new file is complete, before it takes the old one's name.
  /// - Throws: what `fill` throws or `failure` makes; the temporary is then gone and the file that
  ///   was there untouched.
  package static func replace<Failure: Error>(
    _ path: String, isShared: Bool = false, failure: (FileError) -> Failure,
    willReplace: () throws(Failure) -> Void = {},
    fill: (_ temporary: String) throws(Failure) -> Void
  ) throws(Failure) {
    let own = isShared ? ".\(getpid())-\(UInt32.random(in: 0...UInt32.max))" : ""
    let folder = Paths.folder(of: path)
    let temporary = folder + "/" + prefix + Paths.name(of: path) + own + suffix
    do throws(Failure) {
      unlink(temporary)
      try fill(temporary)
      if let error = sync(temporary) { throw failure(error) }
      try willReplace()
      guard rename(temporary, path) == 0 else { throw failure(.last) }
    } catch {
      unlink(temporary)
      throw error
    }
    // The new file is in place; where a file system cannot sync a folder, that is no failure.
    _ = sync(folder)
  }

  /// Replaces `path` by what `body` writes.
  ///
  /// - Throws: the system's refusal; the file that was there is then untouched.
  package static func write(
    _ path: String, isShared: Bool = false, willReplace: () throws(FileError) -> Void = {},
    _ body: (OutputFile) throws(FileError) -> Void
  ) throws(FileError) {
    try replace(path, isShared: isShared, failure: { $0 }, willReplace: willReplace) {
      temporary throws(FileError) in
      try body(try OutputFile(temporary, flags: O_CREAT | O_EXCL))
    }
  }

  /// Removes what processes that were killed in the middle of a write have left in `folder`.
  package static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
      unlink(folder + "/" + name)
    }
  }

  private static let prefix = "."
  private static let suffix = ".partial"

  /// Waits until a file or folder is on the disk.
  private static func sync(_ path: String) -> FileError? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .last }
    defer { close(descriptor) }
    while fsync(descriptor) != 0 {
      if errno != EINTR { return .last }
    }
    return nil
  }
}
