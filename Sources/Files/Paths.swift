import Glibc

/// Joins and takes apart paths as text; no file is looked at.
package enum Paths {
  /// The process's working directory.
  package static var workingDirectory: String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
  }

  /// `path` as seen from `folder`, absolute, without `.` parts; `..` stays, for links may be in it.
  package static func absolute(_ path: String, from folder: String) -> String {
    if path.hasPrefix("/") { return tidy(path) }
    let base = folder.hasPrefix("/") ? folder : workingDirectory + "/" + folder
    return tidy(base + "/" + path)
  }

  /// The folder that holds `path`.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of `path`.
  package static func name(of path: String) -> String {
    String(path.split(separator: "/").last ?? "")
  }

  private static func tidy(_ path: String) -> String {
    "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }
}
