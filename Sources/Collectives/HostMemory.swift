import Foundation

/// How much memory this host gives to a job.
package enum HostMemory {
  /// Bytes: the machine's, or what the control groups of this process allow where that is less.
  package static var bytes: Int {
    let physical = Int(ProcessInfo.processInfo.physicalMemory)
    return min(physical, limit(read: textOfFile) ?? physical)
  }

  /// The smallest limit, in bytes, of the control groups of this process; nil without one.
  ///
  /// Reads cgroup v2 `memory.max` and v1 `memory.limit_in_bytes` from the process's group up to the
  /// root.
  ///
  /// - Parameter read: the text of a file, nil where there is none.
  package static func limit(read: (String) -> String?) -> Int? {
    let groups = ControlGroups(of: "memory", read: read)
    let files =
      groups.version2.map { $0 + "/memory.max" }
      + groups.version1.map { $0 + "/memory.limit_in_bytes" }
    let limits = files.compactMap { read($0) }.compactMap {
      Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    // Version 1 writes "no limit" as a number near 2^63.
    return limits.filter { $0 < 1 << 60 }.min()
  }
}
