import Glibc

/// Joins and takes apart paths as text; only `resolved` looks at files.
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

  /// `path` without links, absolute; what of it does not exist yet stays as it is.
  package static func resolved(_ path: String) -> String {
    var (known, rest) = (absolute(path, from: workingDirectory), "")
    while known != "/" {
      if let real = realpath(known, nil) {
        defer { free(real) }
        return String(cString: real) + rest
      }
      rest = "/" + name(of: known) + rest
      known = folder(of: known)
    }
    return rest
  }

  private static func tidy(_ path: String) -> String {
    "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }
}
