import Foundation

/// New files for a folder, kept aside until all are complete and none would replace a user's own.
final class StagedFolder {
  private let target: URL
  private let stage: URL
  private var names: [String] = []

  /// Creates `directory` where needed, and a hidden folder for the new files in it.
  ///
  /// - Throws: `inputOutput` where the folder cannot be made.
  init(_ directory: String) throws(ImagingError) {
    target = URL(fileURLWithPath: directory, isDirectory: true)
    stage = target.appendingPathComponent(
      ".lkdist-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
    try Self.createFolder(stage)
  }

  deinit { try? FileManager.default.removeItem(at: stage) }

  /// Where the file that will be called `name` in the folder is written for now.
  func path(_ name: String) throws(ImagingError) -> String {
    let url = stage.appendingPathComponent(name)
    try Self.createFolder(url.deletingLastPathComponent())
    names.append(name)
    return url.path
  }

  /// Writes a text file.
  func write(_ text: String, to name: String) throws(ImagingError) {
    let path = try path(name)
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) } catch {
      throw Self.failure(path, error)
    }
  }

  /// Moves all files to their places; files that are already there with the same contents stay.
  ///
  /// - Throws: `inputOutput` that names a file with other contents; then nothing was moved.
  func publish() throws(ImagingError) {
    let manager = FileManager.default
    let isThere = names.map { manager.fileExists(atPath: target.appendingPathComponent($0).path) }
    for (name, isThere) in zip(names, isThere) where isThere {
      let file = target.appendingPathComponent(name).path
      guard manager.contentsEqual(atPath: file, andPath: stage.appendingPathComponent(name).path)
      else {
        throw .inputOutput(
          "\(file) exists with other contents and is not replaced; move it or choose another folder"
        )
      }
    }
    for (name, isThere) in zip(names, isThere) where !isThere {
      let url = target.appendingPathComponent(name)
      try Self.createFolder(url.deletingLastPathComponent())
      do { try manager.moveItem(at: stage.appendingPathComponent(name), to: url) } catch {
        throw Self.failure(url.path, error)
      }
    }
  }

  private static func createFolder(_ url: URL) throws(ImagingError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch { throw failure(url.path, error) }
  }

  private static func failure(_ path: String, _ error: any Error) -> ImagingError {
    .inputOutput("\(path) cannot be written: \(error.localizedDescription)")
  }
}
