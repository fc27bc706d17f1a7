import Files
import Foundation
import Imaging

/// Looks at the paths that a run reads and writes, without reading or writing them.
struct PathCheck {
  let setup: RunSetup
  let folder: RunFolder
  /// The weights to start from, if any.
  let weights: String?

  /// Checks the subjects' files, and the folders of results and prepared volumes.
  ///
  /// - Throws: `missing` that lists files that are not there, `inputOutput` for a folder that cannot be
  ///   written.
  func check() throws(TrainingError) {
    let files =
      (setup.training + setup.validation).flatMap(\.files) + [weights].compactMap { $0 }
    let missing = files.filter { access($0, R_OK) != 0 }
    guard missing.isEmpty else {
      let shown = missing.prefix(5).joined(separator: ", ")
      let more = missing.count > 5 ? " and \(missing.count - 5) more" : ""
      throw .missing("cannot read \(shown)\(more); put the files there, or change data.path")
    }
    for path in [folder.path, setup.cacheFolder].compactMap({ $0 }) { try checkWritable(path) }
  }

  /// Whether `path`, or the folder it would be made in, can be written.
  private func checkWritable(_ path: String) throws(TrainingError) {
    var place = Paths.absolute(path, from: Paths.workingDirectory)
    while !FileManager.default.fileExists(atPath: place), place != "/" {
      place = Paths.folder(of: place)
    }
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
    guard isFolder.boolValue, access(place, W_OK | X_OK) == 0 else {
      throw .inputOutput(
        "\(path) cannot be written, for \(place) is no folder that you may write into; choose "
          + "another by --output, or data.cacheFolder for prepared volumes")
    }
  }
}
