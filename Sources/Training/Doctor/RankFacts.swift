import Collectives
import Foundation
import Kernels

/// What one rank sees of its machine; the root judges those of all.
package struct RankFacts: Codable, Equatable, Sendable {
  package var rank: Int
  package var host: String
  /// lkdist's version.
  package var program: String
  /// The MPI library with its version.
  package var library: String
  package var allowsThreads: Bool
  /// The processors that the rank may use, and its threads.
  package var processors: Int
  package var threads: Int
  /// What the rank's thread count gave to say: a mask that was widened, a crowded host.
  package var widening: String?
  package var crowding: String?
  package var instructionSet: String
  /// What LKDIST_ISA asked for in vain.
  package var instructionSetNote: String?
  /// The processor that OpenBLAS chose its kernels for.
  package var blasCore: String
  /// Bytes that the host gives to the job.
  package var memory: Int
  /// Bytes of the process's limits on addresses and data (`ulimit -v`, `ulimit -d`); nil without.
  package var addressLimit: Int?
  package var openFiles: Int
  /// Bytes that may be locked (`ulimit -l`) where the host has InfiniBand; nil without either.
  package var lockedLimit: Int?
  /// The kernel's setting of transparent huge pages.
  package var hugePages: String
  /// Seconds by which the clock is ahead of the root's.
  package var clockOffset: Double

  package init(
    rank: Int, host: String, program: String, library: String, allowsThreads: Bool,
    processors: Int, threads: Int, widening: String? = nil, crowding: String? = nil,
    instructionSet: String, instructionSetNote: String? = nil, blasCore: String, memory: Int,
    addressLimit: Int? = nil, openFiles: Int, lockedLimit: Int? = nil, hugePages: String,
    clockOffset: Double
  ) {
    (self.rank, self.host, self.program, self.library) = (rank, host, program, library)
    (self.allowsThreads, self.processors, self.threads) = (allowsThreads, processors, threads)
    (self.widening, self.crowding) = (widening, crowding)
    (self.instructionSet, self.instructionSetNote) = (instructionSet, instructionSetNote)
    (self.blasCore, self.memory, self.addressLimit) = (blasCore, memory, addressLimit)
    (self.openFiles, self.lockedLimit, self.hugePages) = (openFiles, lockedLimit, hugePages)
    self.clockOffset = clockOffset
  }

  /// Looks at this rank. Collective over `world`.
  ///
  /// - Parameter threads: the value of `--threads`, if given.
  package static func ofThisRank(
    _ world: Communicator, threads: Int?
  ) throws(CommunicationError) -> RankFacts {
    let budget = try ThreadBudget.ofThisRank(flag: threads, world: world)
    return RankFacts(
      rank: world.rank, host: world.hostName, program: Version.current,
      library: try world.libraryVersion(), allowsThreads: try world.allowsThreads(),
      processors: budget.processors.count, threads: budget.threads, widening: budget.widening,
      crowding: budget.crowding, instructionSet: InstructionSet.active,
      instructionSetNote: InstructionSet.diagnostic, blasCore: LinearAlgebra.core,
      memory: HostMemory.bytes,
      addressLimit: [limit(RLIMIT_AS), limit(RLIMIT_DATA)].compactMap { $0 }.min(),
      openFiles: limit(RLIMIT_NOFILE) ?? .max,
      lockedLimit: hasInfiniBand ? limit(__RLIMIT_MEMLOCK) : nil, hugePages: hugePages,
      clockOffset: try world.clockOffset())
  }

  /// The process's soft limit; nil where there is none.
  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur < UInt64(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  private static var hasInfiniBand: Bool {
    let devices = try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/infiniband")
    return devices?.isEmpty == false
  }

  /// The word in brackets of "always [madvise] never".
  private static var hugePages: String {
    let text = textOfFile("/sys/kernel/mm/transparent_hugepage/enabled") ?? ""
    return text.split(separator: "[").last?.split(separator: "]").first.map(String.init)
      ?? "unknown"
  }
}
