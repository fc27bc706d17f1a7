import Collectives
import Foundation
import Imaging

/// `lkdist doctor`: what is wrong with the machine, before a run finds out.
package struct DoctorRun: Sendable {
  /// What the command line asks for.
  package struct Options: Sendable {
    package var folder: String
    package var threads: Int?
    package var network: NetworkSpeed?

    package init(folder: String, threads: Int?, network: NetworkSpeed?) {
      (self.folder, self.threads, self.network) = (folder, threads, network)
    }
  }

  package let options: Options

  package init(_ options: Options) { self.options = options }

  /// Looks at everything; nil except on the root. Collective over `world`.
  package func examine(_ world: Communicator) throws -> DoctorReport? {
    let activity = Activity()
    activity.begin(.start, "doctor")
    let watchdog = try Watchdog(activity, over: world, timeout: 120) { _ in }
    defer { watchdog.stop() }
    let own = try RankFacts.ofThisRank(world, threads: options.threads)
    let facts = try world.gathered(own)
    activity.begin(.allreduce, "network")
    let network = try NetworkProbe(expected: options.network?.gigabytesPerSecond).lines(world)
    activity.begin(.checkpoint, options.folder)
    let folder = try FolderProbe(options.folder).lines(world)
    try world.barrier()
    let launcher = Launcher(environment: ProcessInfo.processInfo.environment)
    return facts.map {
      DoctorReport(
        lines: MachineRules($0, launcher: launcher).lines + network + folder)
    }
  }

  /// The report of ranks that `error` kept from finding each other; nil for other errors, and on
  /// ranks that leave the word to another.
  package static func report(of error: CommunicationError) -> DoctorReport? {
    guard case .noPMIx(let tasks) = error else { return nil }
    return DoctorReport(lines: [
      .error(
        "launcher", "srun started \(tasks) tasks without PMIx: each would train alone",
        fix: error.advice)
    ])
  }
}
