import Foundation

/// How much processor time the control groups of this process allow.
package enum ProcessorLimit {
  /// Processors' worth of time, such as 1.5; nil without a limit.
  ///
  /// Reads cgroup v2 `cpu.max` and v1 `cpu.cfs_quota_us` from the process's group up to the root:
  /// the smallest holds.
  ///
  /// - Parameter read: the text of a file, nil where there is none.
  package static func processors(read: (String) -> String?) -> Double? {
    let groups = read("/proc/self/cgroup") ?? ""
    let all = groups.split(separator: "\n").flatMap { line in
      limits(
        ofGroup: line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false), read)
    }
    return all.min()
  }

  /// The limits along one line of /proc/self/cgroup, split into number, controllers and path.
  private static func limits(
    ofGroup fields: [Substring], _ read: (String) -> String?
  ) -> [Double] {
    guard fields.count == 3 else { return [] }
    if fields[1].isEmpty {
      let folders = folders(
        from: String(fields[2]), under: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"])
      return folders.compactMap { version2(read($0 + "/cpu.max")) }
    }
    guard fields[1].split(separator: ",").contains("cpu") else { return [] }
    let mounts = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/\(fields[1])"]
    return folders(from: String(fields[2]), under: mounts).compactMap {
      version1(quota: read($0 + "/cpu.cfs_quota_us"), period: read($0 + "/cpu.cfs_period_us"))
    }
  }

  /// The group's folder and all above it; within a container the path may exist or only the mount.
  static func folders(from path: String, under mounts: [String]) -> [String] {
    let parts = path.split(separator: "/")
    return mounts.flatMap { mount in
      (0...parts.count).reversed().map {
        ([mount] + parts.prefix($0).map(String.init)).joined(separator: "/")
      }
    }
  }

  /// "200000 100000" is two processors; "max 100000" no limit.
  private static func version2(_ text: String?) -> Double? {
    let numbers = (text ?? "").split { $0 == " " || $0 == "\n" }.map { Double($0) }
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1] else { return nil }
    return quota > 0 && period > 0 ? quota / period : nil
  }

  private static func version1(quota: String?, period: String?) -> Double? {
    version2("\(quota ?? "") \(period ?? "")")
  }
}

/// The text of a small file, nil where it cannot be read; for /proc and /sys.
func textOfFile(_ path: String) -> String? {
  FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
}
