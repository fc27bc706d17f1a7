import Glibc

/// What the system says of a whole file system.
package enum FileSystem {
  /// The bytes that are free for the user on the file system that holds `path`; nil if unknown.
  package static func freeBytes(at path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}
