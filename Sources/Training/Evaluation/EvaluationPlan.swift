import Files
import Foundation
import Imaging
import Synchronization
import Tensors

/// What is scored against what, before any voxel is compared.
struct EvaluationPlan {
  /// A label map and its reference.
  struct Pair: Sendable {
    let subject: String
    let prediction: String
    let reference: String
  }

  /// Ascending by subject.
  private(set) var pairs: [Pair] = []
  /// The subjects that cannot be scored for want of a file.
  private(set) var failures: [SubjectFailure] = []
  /// What is scored, in the order of the table.
  private(set) var classes: [ScoredClass] = []
  /// The label values that may appear; nil where nothing names them.
  private(set) var known: Set<Int>?
  /// The label of voxels that are not scored.
  private(set) var ignored: Int?
  /// What a user should know.
  private(set) var notes: [String] = []

  /// Label maps of a folder against references of the same name, or of the data set's subjects of
  /// that name; or one file against another.
  ///
  /// - Throws: `missing` for a folder that is not there or holds nothing to score, `badData` for
  ///   labels that do not fit the conventions.
  init(
    predictions: String, references: String, labels: String?, rule: ScoringRule, on team: ThreadTeam
  ) throws {
    if NIfTIFiles.isFolder(predictions) {
      try match(try NIfTIFiles.list(predictions), in: predictions, with: references)
    } else {
      pairs = [
        Pair(
          subject: NIfTIFiles.stem(of: predictions), prediction: predictions, reference: references)
      ]
    }
    let described = try labels.map { path throws(ImagingError) in try Dataset.labels(of: path) }
    try setClasses(described, rule: rule, on: team)
  }

  /// The subjects that some runs validated, each once, against the references of their data sets.
  ///
  /// - Throws: `missing` for a folder that is no run's or has validated nothing, `badData` for
  ///   subjects in two runs, and runs whose classes differ.
  init(runs: [String], rule: ScoringRule, on team: ThreadTeam) throws {
    var first: (run: String, dataset: Dataset)?
    var places: [String: String] = [:]
    for run in runs {
      let dataset = try Self.dataset(ofRun: run)
      if let first, ScoredClass.scored(of: first.dataset) != ScoredClass.scored(of: dataset) {
        throw TrainingError.badData(
          "\(first.run) and \(run) have different classes; pool runs of one data set")
      }
      first = first ?? (run, dataset)
      let maps = try Self.validated(by: run)
      for map in maps {
        let subject = NIfTIFiles.stem(of: map)
        if let other = places.updateValue(run, forKey: subject) {
          throw TrainingError.badData(
            "subject \(subject) was validated by \(other) and by \(run); pool the folds of one "
              + "cross-validation, each once")
        }
      }
      match(maps, with: Self.labelPaths(of: dataset), source: "the data set of \(run)")
    }
    sort()
    try setClasses(first?.dataset, rule: rule, on: team)
  }

  /// Leaves classes out by name or key.
  ///
  /// - Throws: `missing` for one that is not there, and where none is left.
  mutating func exclude(_ names: [String]) throws(TrainingError) {
    guard !names.isEmpty else { return }
    for name in names { try require(name, of: "--exclude") }
    classes.removeAll { names.contains($0.key) || names.contains($0.name) }
    guard !classes.isEmpty else { throw .missing("--exclude leaves no class to score") }
  }

  /// Checks that a class that an option names is there.
  func require(_ name: String, of option: String) throws(TrainingError) {
    guard classes.contains(where: { $0.key == name || $0.name == name }) else {
      throw .missing("\(option) \(name): no such class among \(classes.map(\.name).inWords)")
    }
  }
}

// MARK: - Files

extension EvaluationPlan {
  private mutating func match(
    _ files: [String], in folder: String, with references: String
  ) throws {
    guard !files.isEmpty else {
      throw TrainingError.missing("\(folder) holds no .nii or .nii.gz file to score")
    }
    let known = try Self.referencesByName(references)
    match(files, with: known, source: references)
    sort()
    let unused = Set(known.keys).subtracting(files.map(NIfTIFiles.stem)).count
    if unused > 0 {
      notes.append("\(unused) of \(known.count) references have no prediction in \(folder)")
    }
  }

  private mutating func match(_ files: [String], with known: [String: String], source: String) {
    var seen: [String: String] = [:]
    for file in files {
      let subject = NIfTIFiles.stem(of: file)
      if let other = seen.updateValue(file, forKey: subject) {
        fail(subject, "\(file) and \(other) are both its prediction; keep one")
      } else if let reference = known[subject] {
        pairs.append(Pair(subject: subject, prediction: file, reference: reference))
      } else {
        fail(subject, "\(file) has no reference of that name in \(source)", .missing)
      }
    }
  }

  private mutating func fail(_ subject: String, _ reason: String, _ code: ExitCode = .badData) {
    pairs.removeAll { $0.subject == subject }
    failures.append(SubjectFailure(subject: subject, reason: reason, code: code))
  }

  private mutating func sort() { pairs.sort { $0.subject < $1.subject } }

  /// The label maps of a folder by their names, or of a data set by its subjects.
  private static func referencesByName(_ references: String) throws -> [String: String] {
    guard NIfTIFiles.isFolder(references),
      let dataset = try Dataset.recognize(references, needsFiles: false)
    else {
      return Dictionary(try NIfTIFiles.list(references).map { (NIfTIFiles.stem(of: $0), $0) }) {
        first, _ in first
      }
    }
    return labelPaths(of: dataset)
  }

  private static func labelPaths(of dataset: Dataset) -> [String: String] {
    var paths: [String: String] = [:]
    for subject in dataset.subjects { paths[subject.identifier] = subject.label }
    return paths
  }

  private static func dataset(ofRun run: String) throws -> Dataset {
    let folder = RunFolder(run)
    guard FileManager.default.fileExists(atPath: folder.configuration) else {
      throw TrainingError.missing(
        "\(run) is no run's folder: it holds no lkdist.yaml; give the folders that lkdist train "
          + "wrote to")
    }
    let data = try Configuration.load(folder.configuration, overrides: []).data
    return try Dataset.load(data.path, layout: data.layout, needsFiles: false)
      .labeled(data.labels)
  }

  private static func validated(by run: String) throws -> [String] {
    let folder = RunFolder(run).validation
    let maps = NIfTIFiles.isFolder(folder) ? try NIfTIFiles.list(folder) : []
    guard !maps.isEmpty else {
      throw TrainingError.missing("\(folder) holds no label map: \(run) has not validated yet")
    }
    return maps
  }
}

// MARK: - Classes

extension EvaluationPlan {
  private mutating func setClasses(
    _ described: Dataset?, rule: ScoringRule, on team: ThreadTeam
  ) throws {
    ignored = described?.ignoredLabel
    let labels = described?.labels ?? []
    let regions = described?.regions ?? []
    if rule.conventions == .brats, regions.isEmpty {
      let values = Set(labels.map(\.value))
      guard values.isEmpty || values.isSuperset(of: [1, 2, 4]) else {
        throw TrainingError.badData(
          "--conventions brats scores ET = 4, TC = 1 + 4 and WT = 1 + 2 + 4, but the labels are "
            + "\(values.sorted().map(String.init).inWords); give --labels that define regions")
      }
      classes = ScoredClass.of(Region.brats)
      known = [0, 1, 2, 4]
    } else if labels.isEmpty {
      let values = valuesInFiles(on: team).sorted()
      classes = ScoredClass.foreground(
        of: values.map { DatasetLabel(value: Int($0), name: "\($0)") })
    } else {
      classes = regions.isEmpty ? ScoredClass.foreground(of: labels) : ScoredClass.of(regions)
    }
    if let described, !labels.isEmpty {
      known = described.knownValues.union([0])
    }
  }

  /// All values of predictions and references; a file that cannot be read is told of when scored.
  private func valuesInFiles(on team: ThreadTeam) -> Set<Int16> {
    let values = Mutex<Set<Int16>>([])
    let files = pairs.flatMap { [$0.prediction, $0.reference] }
    team.parallelFor(files.count) { index, _ in
      guard let map = try? NIfTI.readLabels(files[index]) else { return }
      values.withLock { $0.formUnion(map.values) }
    }
    return values.withLock { $0 }
  }
}
