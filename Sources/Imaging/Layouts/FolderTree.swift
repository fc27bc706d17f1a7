import Foundation

/// A folder with the names of the NIfTI files in it.
struct FolderTree {
  let path: String
  /// Sorted; hidden files are left out.
  let files: [String]

  var name: String { URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent }

  /// Our choice: archives of the known data sets nest their cases up to three deep.
  private static let maximumDepth = 5
  /// Far above any data set's, far below a file system's.
  private static let maximumEntries = 200_000

  /// `root` and the folders below it that hold NIfTI files, ascending by path. Links are followed,
  /// each folder is visited once.
  ///
  /// - Throws: `inputOutput` for a folder that cannot be read, `configuration` for too many entries.
  static func folders(below root: String) throws(ImagingError) -> [FolderTree] {
    var queue = [(path: root, depth: 0)]
    var visited: Set<Identity> = []
    var entries = 0
    var folders: [FolderTree] = []
    while let (path, depth) = queue.popLast() {
      guard let identity = Identity(ofFolder: path), visited.insert(identity).inserted else {
        continue
      }
      let names = try self.names(in: path)
      entries += names.count
      guard entries <= maximumEntries else {
        throw .configuration(
          "\(root) holds more than \(maximumEntries) files; give the data set's own folder")
      }
      let below = names.filter { NIfTIFiles.isFolder("\(path)/\($0)") }
      let files = Set(names.filter(NIfTIFiles.isName)).subtracting(below)
      if !files.isEmpty { folders.append(FolderTree(path: path, files: files.sorted())) }
      if depth < maximumDepth { queue += below.map { ("\(path)/\($0)", depth + 1) } }
    }
    return folders.sorted { $0.path < $1.path }
  }

  /// The names in a folder but the hidden ones, sorted.
  ///
  /// - Throws: `inputOutput` for a folder that cannot be read.
  static func names(in folder: String) throws(ImagingError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw .inputOutput("the folder \(folder) cannot be read: \(error.localizedDescription)")
    }
  }

  /// What tells a folder from all others, by whatever name it is reached.
  private struct Identity: Hashable {
    let device: UInt
    let node: UInt

    /// Nil for what is no folder, links in a circle included.
    init?(ofFolder path: String) {
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
      (device, node) = (UInt(status.st_dev), UInt(status.st_ino))
    }
  }
}
