import Foundation

/// Names of NIfTI files and the folders that hold them.
package enum NIfTIFiles {
  private static let endings = [".nii.gz", ".nii"]

  /// Whether `path` names a NIfTI file by its ending.
  package static func isName(_ path: String) -> Bool { endings.contains { path.hasSuffix($0) } }

  /// The file's name without folder and ending.
  package static func stem(of path: String) -> String {
    let name = Paths.name(of: path)
    let ending = endings.first { name.hasSuffix($0) } ?? ""
    return String(name.dropLast(ending.count))
  }

  /// The file's stem without a channel number such as `_0001`.
  package static func caseName(of path: String) -> String {
    let stem = stem(of: path)
    let number = stem.suffix(4)
    guard stem.count > 5, number.allSatisfy(\.isNumber), stem.dropLast(4).last == "_" else {
      return stem
    }
    return String(stem.dropLast(5))
  }

  /// Whether `path` is a folder.
  package static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The paths of the NIfTI files in `folder`, sorted.
  ///
  /// - Throws: `missing` for no such folder, `inputOutput` for one that cannot be read.
  package static func list(_ folder: String) throws(TrainingError) -> [String] {
    guard isFolder(folder) else { throw .missing("there is no folder \(folder)") }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { isName($0) && !$0.hasPrefix(".") }.sorted().map { "\(folder)/\($0)" }
    } catch {
      throw .inputOutput("cannot read the folder \(folder): \(error.localizedDescription)")
    }
  }
}
