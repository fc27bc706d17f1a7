import Collectives
import Foundation

/// The memory of this process.
enum ProcessMemory {
  /// The bytes that it has now in memory; 0 where the system does not say.
  static var resident: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return 0
    }
    let pages = status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The most bytes that it ever had in memory (getrusage counts KiB).
  static var peak: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}

/// The processor time of this process.
enum ProcessorTime {
  /// Seconds of all its threads so far, those that the system worked for it included.
  static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// The most memory that a process may take.
package struct MemoryLimit: Sendable {
  package let bytes: Int
  /// Whether the user set it, so that what does not fit is refused instead of tried.
  package let isStrict: Bool

  /// A limit as `asked`; without, our choice of three quarters of what the host gives, in equal
  /// shares for its ranks.
  package init(_ asked: Int?, ranksOfThisHost ranks: Int) {
    bytes = asked ?? HostMemory.bytes / 4 * 3 / ranks
    isStrict = asked != nil
  }

  /// What is left of it now.
  var left: Int { bytes - ProcessMemory.resident }
}
