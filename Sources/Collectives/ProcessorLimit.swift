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
    let groups = ControlGroups(of: "cpu", read: read)
    let limits =
      groups.version2.map { version2(read($0 + "/cpu.max")) }
      + groups.version1.map {
        version1(quota: read($0 + "/cpu.cfs_quota_us"), period: read($0 + "/cpu.cfs_period_us"))
      }
    return limits.compactMap { $0 }.min()
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
