import Files
import Foundation

/// Names of NIfTI files and the folders that hold them.
package enum NIfTIFiles {
  private static let endings = [".nii.gz", ".nii"]

  /// Whether `path` names a NIfTI file by its ending.
  package static func isName(_ path: String) -> Bool { endings.contains { path.hasSuffix($0) } }

  /// The file's name without folder and ending.
  package static func stem(of path: String) -> String {
    let name = URL(fileURLWithPath: path).lastPathComponent
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

  /// Whether a character stands between the words of a file's name.
  static func separates(_ character: Character) -> Bool { "_-. ".contains(character) }

  /// The path of a file that a description in `folder` calls `name`.
  static func path(_ name: String, from folder: String) -> String {
    URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
      .standardizedFileURL.path
  }

  /// The paths of the NIfTI files in `folder`, sorted.
  ///
  /// - Throws: `missing` for no such folder, `inputOutput` for one that cannot be read.
  package static func list(_ folder: String) throws(ImagingError) -> [String] {
    guard isFolder(folder) else { throw .missing("there is no folder \(folder)") }
    return try FolderTree.names(in: folder).filter(isName).map { "\(folder)/\($0)" }
  }
}
