import Foundation

/// A set of logical processors, as the kernel numbers them.
package struct ProcessorSet: Equatable, Sendable, CustomStringConvertible {
  /// Room for 8192 processors, the most that Linux can be built for.
  private static let words = 128
  private var bits: [UInt64]

  /// The processors with the given numbers, 0..<8192.
  package init(_ processors: some Sequence<Int>) {
    bits = [UInt64](repeating: 0, count: Self.words)
    for processor in processors {
      precondition(processor >= 0 && processor < Self.words * 64, "processor \(processor)")
      bits[processor / 64] |= 1 << UInt64(processor % 64)
    }
  }

  /// The set stored in `bytes` by `bytes`; nil where they are too many or too few.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.words * 8 else { return nil }
    bits = bytes.withUnsafeBytes { raw in
      (0..<Self.words).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    }
  }

  /// The set as 1024 bytes in this machine's order, for other ranks of the host.
  package var bytes: [UInt8] { bits.withUnsafeBytes { Array($0) } }

  /// The number of processors.
  package var count: Int { bits.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// The processors, ascending.
  package var processors: [Int] { (0..<Self.words * 64).filter(contains) }

  /// Whether `processor` is in the set.
  package func contains(_ processor: Int) -> Bool {
    bits[processor / 64] >> UInt64(processor % 64) & 1 == 1
  }

  /// The set as the kernel writes it, "0-3,8".
  package var description: String {
    var runs: [ClosedRange<Int>] = []
    for processor in processors {
      if let last = runs.last, last.upperBound == processor - 1 {
        runs[runs.count - 1] = last.lowerBound...processor
      } else {
        runs.append(processor...processor)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

// MARK: - The system

extension ProcessorSet {
  /// The processors in the kernel's notation, such as "0-3,8"; nil where it is not that.
  package init?(list: some StringProtocol) {
    var processors: [Int] = []
    for run in list.split(separator: ",") {
      let ends = run.split(separator: "-").map { Int($0) ?? -1 }
      guard let first = ends.first, let last = ends.last, ends.count <= 2, first >= 0,
        last >= first, last < Self.words * 64
      else { return nil }
      processors += first...last
    }
    self.init(processors)
  }

  /// The processors that `process` may use, "self" for this one (its main thread); nil where the
  /// kernel does not tell.
  package static func allowed(for process: String = "self") -> ProcessorSet? {
    let fields = statusFields(textOfFile("/proc/\(process)/status") ?? "")
    return fields["Cpus_allowed_list"].flatMap { ProcessorSet(list: $0) }
  }

  /// Lets every thread of this process use the set; the kernel keeps it within the cgroup's
  /// processors (sched_setaffinity).
  func applyToThisProcess() -> Bool {
    // Swift's Glibc leaves out what glibc hides behind _GNU_SOURCE, so the call is looked up.
    typealias Call = @convention(c) (pid_t, Int, UnsafeRawPointer?) -> Int32
    guard let symbol = dlsym(nil, "sched_setaffinity") else { return false }
    let setAffinity = unsafeBitCast(symbol, to: Call.self)
    // MPI and libdispatch may have threads already, and a mask belongs to a thread.
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return bits.withUnsafeBytes { raw in
      (threads.isEmpty ? [0] : threads.compactMap { pid_t($0) })
        .allSatisfy { setAffinity($0, raw.count, raw.baseAddress) == 0 }
    }
  }
}

/// The lines "Key:\tvalue" of a /proc/PID/status.
func statusFields(_ text: String) -> [String: String] {
  var fields: [String: String] = [:]
  for line in text.split(separator: "\n") {
    let parts = line.split(separator: ":", maxSplits: 1)
    if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
  }
  return fields
}
