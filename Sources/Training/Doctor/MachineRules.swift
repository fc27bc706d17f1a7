import Collectives
import Foundation

/// What the facts of all ranks say about the machines, a line a subject.
package struct MachineRules: Sendable {
  /// By rank.
  package let facts: [RankFacts]
  package let launcher: Launcher

  package init(_ facts: [RankFacts], launcher: Launcher) {
    (self.facts, self.launcher) = (facts, launcher)
  }

  /// Every line.
  package var lines: [Diagnosis] {
    [launch, versions, threadSupport, ranksPerHost] + processors
      + [instructionSets, blas, memory] + limits + [hugePages, clocks]
  }

  // MARK: - Ranks

  private var launch: Diagnosis {
    let check = "launcher"
    guard facts.count == launcher.ranks else {
      return .error(
        check,
        "\(launcher.ranks) ranks were started by \(launcher.kind.rawValue), but each of them is "
          + "alone: every one would train the whole model",
        fix: "start with the mpirun of \(facts.first?.library ?? "this MPI") (`which mpirun`), or "
          + "srun --mpi=pmix")
    }
    let ranks = facts.count == 1 ? "1 rank" : "\(facts.count) ranks"
    return .ok(check, "\(launcher.kind.rawValue), \(ranks), \(facts.first?.library ?? "")")
  }

  private var versions: Diagnosis {
    let check = "versions"
    let groups = hosts { "lkdist \($0.program) with \($0.library)" }
    guard groups.count > 1 else { return .ok(check, groups.first?.value ?? "") }
    return .error(
      check, "hosts differ: " + Self.sentence(groups),
      fix: "install the same binary and the same MPI on all hosts (scripts/install.sh)")
  }

  private var threadSupport: Diagnosis {
    let check = "MPI threads"
    guard let without = facts.first(where: { !$0.allowsThreads }) else {
      return .ok(check, "MPI_THREAD_MULTIPLE: communication runs beside computation")
    }
    return .warning(
      check,
      "no MPI_THREAD_MULTIPLE on \(without.host): communication waits for computation, and hung "
        + "ranks are found later",
      fix: "use an Open MPI built with it (Debian's is); do not set OMPI_MPI_THREAD_LEVEL")
  }

  private var ranksPerHost: Diagnosis {
    let check = "ranks"
    let counts = Dictionary(grouping: facts, by: \.host).mapValues(\.count)
    let names = counts.keys.sorted()
    let list = names.prefix(8).map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", ")
    let all = names.count > 8 ? list + ", and \(names.count - 8) more" : list
    let message = "\(names.count) host\(names.count == 1 ? "" : "s"), ranks on each: \(all)"
    guard Set(counts.values).count > 1 else { return .ok(check, message) }
    return .warning(
      check, message + ": the fuller hosts hold up the others",
      fix: "the same number on each: mpirun --map-by ppr:N:node, srun --ntasks-per-node=N")
  }

  // MARK: - Processors

  private var processors: [Diagnosis] {
    var lines: [Diagnosis] = []
    if let bound = facts.first(where: { $0.threads > $0.processors }) {
      lines.append(
        .warning(
          "binding",
          "rank \(bound.rank) on \(bound.host) has \(bound.threads) threads on "
            + "\(bound.processors) processors",
          fix: "mpirun --bind-to none, srun --cpus-per-task=\(bound.threads), or fewer --threads"))
    } else if let widening = facts.compactMap(\.widening).first {
      lines.append(.ok("binding", widening))
    } else {
      let counts = Set(facts.map(\.threads)).sorted().map(String.init).joined(separator: " or ")
      lines.append(.ok("binding", "\(counts) threads a rank, each with a processor of its own"))
    }
    for crowding in Set(facts.compactMap(\.crowding)).sorted() {
      lines.append(
        .warning("crowding", crowding, fix: "ranks x threads = processors of the host"))
    }
    return lines
  }

  private var instructionSets: Diagnosis {
    let check = "instructions"
    let groups = hosts(by: \.instructionSet)
    if let note = facts.compactMap(\.instructionSetNote).first {
      return .warning(check, note, fix: "unset LKDIST_ISA")
    }
    if groups.count > 1 {
      return .warning(
        check, "hosts differ: \(Self.sentence(groups)): the slower hold up the others",
        fix: "ask for one kind of node (srun --constraint); the ranks' weights stay equal")
    }
    guard groups.first?.value != "baseline" else {
      return .warning(
        check, "no AVX2: steps take several times as long",
        fix: "use nodes with AVX2 or AVX-512, or unset LKDIST_ISA")
    }
    return .ok(check, "\(groups.first?.value ?? "") on all hosts")
  }

  private var blas: Diagnosis {
    let check = "OpenBLAS"
    let slow: Set = ["Generic", "Prescott", "Core2", "Nehalem", "Barcelona", "unknown"]
    if let fact = facts.first(where: {
      $0.instructionSet != "baseline" && slow.contains($0.blasCore)
    }) {
      return .warning(
        check,
        "uses its \(fact.blasCore) kernels on \(fact.host), which has \(fact.instructionSet)",
        fix: "unset OPENBLAS_CORETYPE, or set it to Haswell (AVX2) or SkylakeX (AVX-512)")
    }
    let cores = Self.sentence(hosts(by: \.blasCore))
    return .ok(check, "kernels of \(cores), one thread a product (the threads are lkdist's)")
  }

  // MARK: - Memory

  private var memory: Diagnosis {
    let check = "memory"
    let shares = Dictionary(grouping: facts, by: \.host).mapValues { ranks in
      (ranks.map(\.memory).min() ?? 0) / max(1, ranks.count)
    }
    guard let (host, share) = shares.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
    else { return .ok(check, "") }
    let message = Self.gibibytes(share) + " a rank on \(host)"
    // Measured: 4.4 GiB for the model `mid` at 128x128x128, subjects not counted.
    guard share >= 6 << 30 else {
      return .warning(
        check, message + ", while patches of 128x128x128 take 4.4 GiB and subjects come on top",
        fix: "fewer ranks a host with more threads each, smaller patches, or a larger --mem")
    }
    return .ok(check, message)
  }

  private var limits: [Diagnosis] {
    var lines: [Diagnosis] = []
    if let fact = facts.first(where: { ($0.addressLimit ?? .max) < $0.memory }) {
      lines.append(
        .warning(
          "limits",
          "a process on \(fact.host) may take \(Self.gibibytes(fact.addressLimit ?? 0)) of the "
            + "host's \(Self.gibibytes(fact.memory))",
          fix: "ulimit -v unlimited; ulimit -d unlimited"))
    }
    if let fact = facts.first(where: { $0.openFiles < 1024 }) {
      lines.append(
        .warning(
          "limits", "a process on \(fact.host) may open \(fact.openFiles) files",
          fix: "ulimit -n 4096"))
    }
    if let fact = facts.first(where: { ($0.lockedLimit ?? .max) < 1 << 30 }) {
      lines.append(
        .warning(
          "limits",
          "\(fact.host) has InfiniBand, but a process may lock "
            + "\(Self.gibibytes(fact.lockedLimit ?? 0)) only: MPI may fall back to TCP",
          fix: "ulimit -l unlimited, in /etc/security/limits.conf or slurmd's unit"))
    }
    return lines.isEmpty ? [.ok("limits", "addresses, data and open files")] : lines
  }

  /// Measured: huge pages gave no gain, so that no setting is wrong.
  private var hugePages: Diagnosis { .ok("huge pages", Self.sentence(hosts(by: \.hugePages))) }

  private var clocks: Diagnosis {
    let check = "clocks"
    let sorted = facts.sorted { $0.clockOffset < $1.clockOffset }
    guard let first = sorted.first, let last = sorted.last else { return .ok(check, "") }
    let skew = last.clockOffset - first.clockOffset
    let message = String(format: "%.3f s apart", skew)
    guard skew > 1 else { return .ok(check, message) }
    return .warning(
      check, "\(last.host) is \(message) from \(first.host): times in logs and of files mislead",
      fix: "run chrony or ntpd on both (`timedatectl`)")
  }

  // MARK: - Words

  /// The values of the ranks with the hosts that have them, most hosts first.
  private func hosts(by value: (RankFacts) -> String) -> [(value: String, hosts: [String])] {
    Dictionary(grouping: facts, by: value)
      .map { (value: $0, hosts: Set($1.map(\.host)).sorted()) }
      .sorted { ($1.hosts.count, $0.value) < ($0.hosts.count, $1.value) }
  }

  private static func sentence(_ groups: [(value: String, hosts: [String])]) -> String {
    guard groups.count > 1 else { return groups.first?.value ?? "" }
    return groups.map { value, hosts in
      let named = hosts.prefix(4).joined(separator: ", ")
      return "\(value) on \(named)" + (hosts.count > 4 ? " and \(hosts.count - 4) more" : "")
    }.joined(separator: "; ")
  }

  private static func gibibytes(_ bytes: Int) -> String {
    String(format: "%.1f GiB", Double(bytes) / Double(1 << 30))
  }
}
