import Collectives
import Files
import Foundation
import Imaging
import Tensors

/// One call of `lkdist predict`; under a launcher the subjects are dealt to the ranks.
package struct PredictionRun {
  private let checkpoints: [String]
  private let inputs: [String]
  private let output: String
  private let overlap: Double
  private let overwrites: Bool
  private let threads: Int?
  private let isQuiet: Bool

  package init(
    checkpoints: [String], inputs: [String], output: String, overlap: Double, overwrites: Bool,
    threads: Int?, isQuiet: Bool
  ) {
    self.checkpoints = checkpoints
    self.inputs = inputs
    self.output = output
    self.overlap = overlap
    self.overwrites = overwrites
    self.threads = threads
    self.isQuiet = isQuiet
  }

  /// Writes the label map of every subject.
  ///
  /// - Throws: `missing`, `badData` or `inputOutput` naming the file.
  package func run() throws {
    let session = try MPISession()
    let world = session.world
    let jobs = try self.jobs()
    for job in jobs where !overwrites && FileManager.default.fileExists(atPath: job.output) {
      throw TrainingError.inputOutput("\(job.output) exists; replace it with --overwrite")
    }
    let budget = try ThreadBudget.ofThisRank(flag: threads, world: world)
    let predictor = try Predictor(
      checkpoints: checkpoints, overlap: overlap, on: Compute(threads: budget.threads))
    for (index, job) in jobs.enumerated() where index % world.size == world.rank {
      try ResultFolder.make(Paths.folder(of: job.output))
      try NIfTI.write(try predictor.labelMap(of: job.subject), to: job.output)
      if !isQuiet { print("wrote \(job.output)") }
    }
    try session.finalize()
  }

  private struct Job {
    let subject: Subject
    let output: String
  }

  private func jobs() throws -> [Job] {
    if inputs.count == 1, NIfTIFiles.isFolder(inputs[0]) || inputs[0].hasSuffix(".json") {
      return try subjects(in: inputs[0]).map {
        Job(subject: $0, output: "\(output)/\($0.identifier).nii.gz")
      }
    }
    let identifier = NIfTIFiles.stem(of: inputs[0])
    let path = NIfTIFiles.isName(output) ? output : "\(output)/\(identifier).nii.gz"
    return [Job(subject: Subject(identifier: identifier, images: inputs, label: nil), output: path)]
  }

  /// The subjects of a data set, of its test part if it has one, or of a folder of images:
  /// CASE.nii.gz, or CASE_0000.nii.gz, CASE_0001.nii.gz, … for several channels.
  private func subjects(in input: String) throws -> [Subject] {
    let isFolder = NIfTIFiles.isFolder(input)
    if let dataset = isFolder ? try Dataset.recognize(input) : try Dataset.load(input) {
      let tests = dataset.testSubjects
      return (tests.isEmpty ? dataset.subjects : tests).map {
        Subject(identifier: $0.identifier, images: $0.images, label: nil)
      }
    }
    let cases = Dictionary(grouping: try NIfTIFiles.list(input)) { NIfTIFiles.caseName(of: $0) }
    guard !cases.isEmpty else {
      throw TrainingError.missing("\(input) holds no .nii or .nii.gz file to segment")
    }
    return cases.keys.sorted().map {
      Subject(identifier: $0, images: (cases[$0] ?? []).sorted(), label: nil)
    }
  }
}
