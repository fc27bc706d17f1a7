import ArgumentParser
import Collectives
import Foundation
import Training

extension NetworkSpeed: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

/// `lkdist doctor`.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look for what is wrong with the machine, before a run finds out.",
    discussion: """
      Launcher, MPI, ranks and binding, instructions, memory and limits, clocks, the network between
      each pair of hosts, and the folder of the runs. Each line is ok, a warning (training works, but
      worse than it could) or an error, with its fix; exit code 1 on errors. Examples:
        lkdist doctor
        srun --ntasks-per-node=2 lkdist doctor --folder runs --network 25Gbps
      """)

  @Option(help: "The folder in which runs will be written.")
  var folder = "."

  @Option(help: "What the network should carry, such as 25Gbps; half of it is a warning.")
  var network: NetworkSpeed?

  @Flag(help: "Print all of it as JSON.")
  var json = false

  @OptionGroup var shared: SharedOptions

  func run() throws {
    let options = DoctorRun.Options(folder: folder, threads: shared.threads, network: network)
    let session: MPISession
    do throws(CommunicationError) { session = try MPISession() } catch {
      guard let report = DoctorRun.report(of: error) else { throw error }
      return try finish(report)
    }
    let report = try DoctorRun(options).examine(session.world)
    try session.finalize()
    if let report { try finish(report) }
  }

  /// Prints the report, once where each process believes to be the root.
  private func finish(_ report: DoctorReport) throws {
    let isFirst = (Launcher(environment: ProcessInfo.processInfo.environment).rank ?? 0) == 0
    if isFirst {
      print(
        json ? report.json.indentedText() : report.text(isQuiet: shared.quiet),
        terminator: json ? "\n" : "")
    }
    if report.count(.error) > 0 { throw ArgumentParser.ExitCode(1) }
  }
}
