import Glibc

/// What the system says of a whole file system.
package enum FileSystem {
  /// The bytes that are free for the user on the file system that holds `path`; nil if unknown.
  package static func freeBytes(at path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// Whether the file system that holds `path` lies in memory (tmpfs, ramfs); false if unknown.
  package static func isInMemory(_ path: String) -> Bool {
    let mounts = (try? InputFile.bytes(of: "/proc/self/mounts")) ?? []
    let kind = kind(of: Paths.resolved(path), mounts: String(decoding: mounts, as: UTF8.self))
    return kind == "tmpfs" || kind == "ramfs"
  }

  /// The kind of the file system that holds an absolute path, by the lines of /proc/mounts.
  package static func kind(of path: String, mounts: String) -> String? {
    var (best, kind): (String, String?) = ("", nil)
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let folder = fields[1] == "/" ? "/" : fields[1] + "/"
      // Of two on one folder the later one hides the earlier.
      if (path + "/").hasPrefix(folder), folder.count >= best.count {
        (best, kind) = (String(folder), String(fields[2]))
      }
    }
    return kind
  }
}
