import Files
import Glibc

/// The folder that a run writes its results to.
package struct RunFolder: Sendable {
  /// The folder's absolute path.
  package let path: String

  package var configuration: String { path + "/lkdist.yaml" }
  package var manifest: String { path + "/manifest.json" }
  package var log: String { path + "/train.log" }
  package var metrics: String { path + "/metrics.jsonl" }
  /// The curves of a run as it goes.
  package var progress: String { path + "/progress.svg" }
  package var report: String { path + "/report.html" }
  package var checkpoints: CheckpointFolder { CheckpointFolder(path + "/checkpoints") }
  /// The folder of the validation subjects' predicted label maps.
  package var validation: String { path + "/validation" }
  /// The folder of the inputs whose loss or gradient was not finite; made when the first comes.
  package var badSteps: String { path + "/bad-steps" }
  /// The folder of prepared volumes, beside the run's so that runs of one data set share it.
  package var preparedVolumes: String { Paths.folder(of: path) + "/prepared" }

  /// Names the run folder at `path`, seen from the working directory, without touching the disk.
  package init(_ path: String) {
    self.path = Paths.absolute(path, from: Paths.workingDirectory)
  }

  /// Makes the folder and those within it where they are missing, and sees that it can be written.
  ///
  /// - Throws: `inputOutput` naming the folder and the reason.
  package func create() throws(TrainingError) {
    let folders = [path, checkpoints.path, validation]
    for folder in folders { try Self.makeFolder(folder) }
    for folder in folders where access(folder, W_OK | X_OK) != 0 {
      throw Self.unwritable(folder, .last)
    }
    AtomicFile.removeLeftovers(in: checkpoints.path)
  }

  /// Makes `badSteps` where it is missing.
  ///
  /// - Throws: `inputOutput` naming the folder and the reason.
  package func createBadSteps() throws(TrainingError) { try Self.makeFolder(badSteps) }

  /// Writes the resolved configuration, in which relative paths have become absolute.
  package func write(_ configuration: Configuration) throws(TrainingError) {
    let header = ["The configuration of this run with every key, as lkdist resolved it."]
    try AtomicFile.write(
      configuration.commented(header: header), to: self.configuration, kind: "configuration")
  }

  /// Writes what the run was made with and on.
  package func write(_ manifest: Manifest) throws(TrainingError) {
    try AtomicFile.write(manifest.json.indentedText() + "\n", to: self.manifest, kind: "manifest")
  }

  private static func makeFolder(_ path: String) throws(TrainingError) {
    var made = ""
    for part in path.split(separator: "/") {
      made += "/" + part
      if mkdir(made, 0o777) == 0 || errno == EEXIST { continue }
      // A folder above that exists may well refuse to be made: only the last refusal counts.
      let error = FileError.last
      var status = stat()
      guard stat(made, &status) == 0 else { throw unwritable(made, error) }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw unwritable(path, FileError(code: ENOTDIR))
    }
  }

  private static func unwritable(_ path: String, _ error: FileError) -> TrainingError {
    .inputOutput(
      "cannot write to the output folder \(path): \(error.reason); choose another with --output")
  }
}

/// What a run was made with and on, for `manifest.json`.
package struct Manifest: Equatable, Sendable {
  /// Versions of the program and of what it stands on, by name.
  package var versions: [(name: String, version: String)]
  /// The command line.
  package var command: [String]
  /// The host of every rank, in the ranks' order.
  package var hosts: [String]
  package var ranks: Int
  /// Threads of a rank.
  package var threads: Int
  /// The kernel table in use: avx512, avx2 or baseline.
  package var instructionSet: String
  /// A hash over the data set's files.
  package var datasetHash: String

  package init(
    versions: [(name: String, version: String)], command: [String], hosts: [String], ranks: Int,
    threads: Int, instructionSet: String, datasetHash: String
  ) {
    self.versions = versions
    self.command = command
    self.hosts = hosts
    self.ranks = ranks
    self.threads = threads
    self.instructionSet = instructionSet
    self.datasetHash = datasetHash
  }

  /// The manifest as JSON.
  package var json: JSON {
    [
      "versions": .object(versions.map { JSON.Member($0.name, .string($0.version)) }),
      "command": .array(command.map(JSON.string)), "hosts": .array(hosts.map(JSON.string)),
      "ranks": .integer(ranks), "threads": .integer(threads),
      "instruction_set": .string(instructionSet), "dataset_hash": .string(datasetHash),
    ]
  }

  package static func == (a: Manifest, b: Manifest) -> Bool { a.json == b.json }
}
