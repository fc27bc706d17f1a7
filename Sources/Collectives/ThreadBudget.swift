import Foundation

/// How many threads this rank computes with, and why.
package struct ThreadBudget: Equatable, Sendable {
  /// Where the number comes from.
  package enum Source: String, Sendable {
    case flag = "--threads"
    case environment = "LKDIST_THREADS"
    case slurm = "SLURM_CPUS_PER_TASK"
    case share = "this rank's share of its host"
  }

  /// The rank's threads, at least 1.
  package let threads: Int
  /// Where the number comes from.
  package let source: Source
  /// The processors that this rank may use.
  package let processors: ProcessorSet
  /// A sentence for the log if this rank's mask was widened.
  package let widening: String?
  /// A warning for the log if the host's ranks together have more threads than processors.
  package let crowding: String?

  /// Widens a mask that mpirun narrowed unasked, then counts. Collective over `world`; call it
  /// before the rank starts threads.
  ///
  /// - Parameter flag: the value of `--threads`, if given.
  /// - Throws: `badThreadCount`, or what MPI says.
  package static func ofThisRank(
    flag: Int?, world: Communicator
  ) throws(CommunicationError) -> ThreadBudget {
    let environment = ProcessInfo.processInfo.environment
    let wish = try requested(flag: flag, environment: environment)
    let widened = LaunchBinding.widen(environment: environment)
    let own = ProcessorSet.allowed() ?? ProcessorSet(0..<ProcessInfo.processInfo.processorCount)
    let host = try world.ofThisHost()
    let masks = try masksOfHost(own, host)
    let limit = ProcessorLimit.processors(read: textOfFile)
    let (threads, source) =
      wish ?? (share(of: masks, localRank: host.rank, limit: limit), .share)
    let total = try host.allreduceSum(threads)
    let crowding = crowding(
      threads: total, ranks: host.size, masks: masks, limit: limit, host: world.hostName)
    return ThreadBudget(
      threads: threads, source: source, processors: own,
      widening: widened, crowding: crowding)
  }

  /// What the log should say about all ranks' threads, each thing once; empty except on the root.
  /// Collective over `world`.
  package func notes(ofAll world: Communicator) throws(CommunicationError) -> [String] {
    let widenings = (try world.gather(widening ?? "") ?? []).filter { !$0.isEmpty }
    let crowdings = (try world.gather(crowding ?? "") ?? []).filter { !$0.isEmpty }
    let extent = "; the same on \(widenings.count) of \(world.size) ranks"
    let first = widenings.prefix(1).map { $0 + (world.size > 1 ? extent : "") }
    return first + Set(crowdings).sorted()
  }

  /// The masks of all ranks of this host, in the order of local ranks.
  private static func masksOfHost(
    _ own: ProcessorSet, _ host: Communicator
  ) throws(CommunicationError) -> [ProcessorSet] {
    let gathered = try host.gather(own.bytes)
    let all = try host.broadcast((gathered ?? []).flatMap { $0 })
    let length = own.bytes.count
    return (0..<host.size).compactMap { rank in
      ProcessorSet(bytes: Array(all[rank * length..<(rank + 1) * length]))
    }
  }

  // MARK: - Rules, without the system

  /// The number that the user or Slurm asked for; nil where nobody did.
  package static func requested(
    flag: Int?, environment: [String: String]
  ) throws(CommunicationError) -> (Int, Source)? {
    if let flag { return (try count("\(flag)", .flag), .flag) }
    if let text = environment[Source.environment.rawValue], !text.isEmpty {
      return (try count(text, .environment), .environment)
    }
    guard let text = environment[Source.slurm.rawValue], !text.isEmpty else { return nil }
    return (try count(text, .slurm), .slurm)
  }

  private static func count(
    _ text: String, _ source: Source
  ) throws(CommunicationError) -> Int {
    guard let count = Int(text), count >= 1, count <= 8192 else {
      throw .badThreadCount(setting: source.rawValue, value: text)
    }
    return count
  }

  /// The share of the rank `localRank` in the host's processors: each processor is divided among
  /// the ranks whose mask holds it, and a time limit (in processors) among all ranks of the host;
  /// remainders go to the lower local ranks. At least 1.
  package static func share(of masks: [ProcessorSet], localRank: Int, limit: Double?) -> Int {
    let own = masks[localRank]
    let alike = masks.indices.filter { masks[$0] == own }
    let hasOnlyTwins = masks.allSatisfy { mask in
      mask == own || own.processors.allSatisfy { !mask.contains($0) }
    }
    let place = alike.firstIndex(of: localRank) ?? 0
    var threads =
      hasOnlyTwins
      ? part(own.count, among: alike.count, place: place)
      : Int(
        own.processors.reduce(0.0) { sum, processor in
          sum + 1 / Double(masks.count { $0.contains(processor) })
        } + 1e-9)
    if let limit {
      threads = min(threads, part(Int(limit), among: masks.count, place: localRank))
    }
    return max(1, threads)
  }

  private static func part(_ count: Int, among ranks: Int, place: Int) -> Int {
    count / ranks + (place < count % ranks ? 1 : 0)
  }

  /// A warning where a host's ranks together have more threads than processors; nil otherwise.
  package static func crowding(
    threads: Int, ranks: Int, masks: [ProcessorSet], limit: Double?, host: String
  ) -> String? {
    let processors = ProcessorSet(masks.flatMap(\.processors)).count
    let usable = min(processors, limit.map { max(1, Int($0)) } ?? processors)
    guard threads > usable else { return nil }
    return "\(host) has \(usable) processors for \(ranks) ranks with \(threads) threads in all: "
      + "steps will be slow; start fewer ranks, or fewer threads (--threads), or at least set "
      + "OMPI_MCA_mpi_yield_when_idle=1"
  }
}
