import Foundation

/// Folders that commands write results into.
enum ResultFolder {
  /// Makes the folder and those above it where they are missing.
  ///
  /// - Throws: `inputOutput` naming the folder and the reason.
  static func make(_ path: String) throws(TrainingError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .inputOutput("cannot make the folder \(path): \(error.localizedDescription)")
    }
  }
}
