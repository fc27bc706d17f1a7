import Foundation

/// The folders of the control groups that hold this process, from its own up to the root.
struct ControlGroups {
  /// Folders of the unified hierarchy.
  private(set) var version2: [String] = []
  /// Folders of the controller's own hierarchy.
  private(set) var version1: [String] = []

  /// The groups of a controller, such as "cpu" or "memory".
  ///
  /// - Parameter read: the text of a file, nil where there is none.
  init(of controller: String, read: (String) -> String?) {
    for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
      // Number, controllers, path.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let path = String(fields[2])
      if fields[1].isEmpty {
        version2 += Self.folders(
          from: path, under: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"])
      } else if fields[1].split(separator: ",").contains(Substring(controller)) {
        version1 += Self.folders(
          from: path, under: ["/sys/fs/cgroup/\(controller)", "/sys/fs/cgroup/\(fields[1])"])
      }
    }
  }

  /// The group's folder and all above it; within a container the path may exist or only the mount.
  private static func folders(from path: String, under mounts: [String]) -> [String] {
    let parts = path.split(separator: "/")
    return mounts.flatMap { mount in
      (0...parts.count).reversed().map {
        ([mount] + parts.prefix($0).map(String.init)).joined(separator: "/")
      }
    }
  }
}

/// The text of a small file, nil where it cannot be read; for /proc and /sys.
package func textOfFile(_ path: String) -> String? {
  FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
}
