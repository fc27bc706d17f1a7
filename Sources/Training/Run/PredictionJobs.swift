import Files
import Foundation
import Imaging

/// A subject to segment, and where its label map goes.
struct PredictionJob {
  let subject: Subject
  let output: String

  /// Where its probabilities go: a folder beside the label map, so that scoring that folder does not
  /// take them for label maps.
  var probabilities: String {
    "\(Paths.folder(of: output))/probabilities/\(Paths.name(of: output))"
  }

  /// Refuses to replace what is there, and ever the subject's own images.
  ///
  /// - Throws: `inputOutput` naming the file.
  func checkOutputs(_ outputs: [String], overwrites: Bool) throws(TrainingError) {
    let images = Set(subject.images.map(Paths.resolved))
    for path in outputs {
      guard !images.contains(Paths.resolved(path)) else {
        throw .inputOutput("\(path) is the image itself; choose another output with -o")
      }
      try ResultFile.check(path, overwrites: overwrites)
    }
  }

  /// The jobs that `inputs` and `output` of the command line name, ascending by subject.
  ///
  /// - Throws: `missing` for a folder without images, what reading a data set's description throws.
  static func list(_ inputs: [String], output: String) throws -> [PredictionJob] {
    if inputs.count == 1, NIfTIFiles.isFolder(inputs[0]) || inputs[0].hasSuffix(".json") {
      guard !NIfTIFiles.isName(output) else {
        throw TrainingError.configuration(
          "\(inputs[0]) holds several images, but \(output) is one file; give a folder with -o")
      }
      return try subjects(in: inputs[0]).map {
        PredictionJob(subject: $0, output: "\(output)/\($0.identifier).nii.gz")
      }
    }
    let identifier = NIfTIFiles.stem(of: inputs[0])
    let subject = Subject(identifier: identifier, images: inputs, label: nil)
    let path = NIfTIFiles.isName(output) ? output : "\(output)/\(identifier).nii.gz"
    return [PredictionJob(subject: subject, output: path)]
  }

  /// The subjects of a data set, of its test part if that is there; images that are absent, but not all,
  /// are found out when their turn comes.
  private static func subjects(of dataset: Dataset, _ input: String) throws -> [Subject] {
    func unlabeled(_ subjects: [Subject]) -> [Subject] {
      subjects.map { Subject(identifier: $0.identifier, images: $0.images, label: nil) }
    }
    let tests = unlabeled(dataset.testSubjects)
    if tests.contains(where: \.absentFiles.isEmpty) { return tests }
    let all = unlabeled(dataset.subjects)
    if !all.contains(where: \.absentFiles.isEmpty) { try all.requireFiles(input) }
    return all
  }

  /// The subjects of a data set, or of a folder of images:
  /// CASE.nii.gz, or CASE_0000.nii.gz, CASE_0001.nii.gz, … for several channels.
  private static func subjects(in input: String) throws -> [Subject] {
    let isFolder = NIfTIFiles.isFolder(input)
    let dataset =
      isFolder
      ? try Dataset.recognize(input, needsFiles: false)
      : try Dataset.load(input, needsFiles: false)
    if let dataset { return try subjects(of: dataset, input) }
    let cases = Dictionary(grouping: try NIfTIFiles.list(input)) { NIfTIFiles.caseName(of: $0) }
    guard !cases.isEmpty else {
      throw TrainingError.missing("\(input) holds no .nii or .nii.gz file to segment")
    }
    return cases.keys.sorted().map {
      Subject(identifier: $0, images: (cases[$0] ?? []).sorted(), label: nil)
    }
  }
}
