import Foundation
import TestSupport

/// Runs programs as a user would and keeps what they say.
struct Command {
  /// How a program ended.
  struct Result {
    let code: Int32
    let output: String
    let errors: String
  }

  /// The folder of the programs that the package built, beside this test bundle.
  static let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().path

  /// `lkdist` itself.
  static var lkdist: String { programs + "/lkdist" }

  /// Runs `lkdist` with one thread, in `folder`.
  static func lkdist(_ arguments: String..., in folder: String = ".") throws -> Result {
    try run([lkdist] + arguments, in: folder)
  }

  /// Runs `lkdist` with `ranks` ranks under mpirun.
  static func lkdist(ranks: Int, _ arguments: String..., in folder: String = ".") throws -> Result {
    let launcher = ["mpirun", "-n", "\(ranks)", "--oversubscribe"]
    return try run(["/usr/bin/env"] + launcher + [lkdist] + arguments, in: folder)
  }

  /// Runs a program with its arguments; nothing may take longer than two minutes.
  static func run(_ words: [String], in folder: String = ".") throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["--kill-after=5", "120"] + words
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    environment["LKDIST_THREADS"] = "1"
    if getuid() == 0 {
      environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    }
    let output = try TemporaryFolder()
    environment["XDG_CACHE_HOME"] = output.file("caches")
    process.environment = environment
    let paths = [output.path + "/output", output.path + "/errors"]
    for path in paths { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: paths[0])
    process.standardError = FileHandle(forWritingAtPath: paths[1])
    try process.run()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus,
      output: try String(contentsOfFile: paths[0], encoding: .utf8),
      errors: try String(contentsOfFile: paths[1], encoding: .utf8))
  }
}
