import Foundation

/// Files that commands write at a path the user gave.
enum ResultFile {
  /// Refuses a path where a file is, unless it may be overwritten.
  ///
  /// - Throws: `inputOutput` naming the file.
  static func check(_ path: String, overwrites: Bool) throws(TrainingError) {
    guard !overwrites && FileManager.default.fileExists(atPath: path) else { return }
    throw .inputOutput("\(path) exists; replace it with --overwrite or choose another path")
  }
}
