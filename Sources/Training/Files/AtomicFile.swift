import Files

extension AtomicFile {
  /// Writes a new `path` through `body`, or leaves the one that is there as it is.
  ///
  /// - Parameters:
  ///   - kind: what errors call the file, such as "checkpoint".
  ///   - willReplace: is called when the new file is complete, before it takes the old one's name.
  /// - Throws: `inputOutput` naming the file and the reason.
  package static func write(
    _ path: String, kind: String, willReplace: () throws(FileError) -> Void = {},
    _ body: (OutputFile) throws(FileError) -> Void
  ) throws(TrainingError) {
    do throws(FileError) { try write(path, willReplace: willReplace, body) } catch {
      let free = FileSystem.freeBytes(at: Paths.folder(of: path))
        .map { " (\($0 >> 20) MiB are free)" }
      throw .inputOutput(
        "cannot write the \(kind) \(path): \(error.reason)\(free ?? ""); a \(kind) that was there "
          + "before is untouched: make room or check the folder's permissions")
    }
  }

  /// Writes a new `path` that holds `text`.
  package static func write(_ text: String, to path: String, kind: String) throws(TrainingError) {
    try write(path, kind: kind) { file throws(FileError) in try file.write(text) }
  }
}
