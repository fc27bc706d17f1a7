import Files
import Foundation
import Imaging

/// Why a part of a report is not there.
struct Absence: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }

  init(_ error: any Error) {
    reason = (error as? Absence)?.reason ?? (error as? FileError)?.reason ?? "\(error)"
  }
}

/// A part of a report, or why it is not there.
typealias Part<Value> = Result<Value, Absence>

/// What a run's folder tells of it, each part on its own: one that is missing keeps no other back.
struct RunContents {
  let folder: RunFolder
  let records: Part<RunRecords>
  let configuration: Part<Configuration>
  let manifest: Part<JSON>
  /// How far the newest checkpoint is.
  let state: Part<CheckpointState>
  /// The data set with the subjects' files, as far as it is where the configuration says.
  let dataset: Part<Dataset>
  /// The labels that the checkpoints keep, without subjects.
  private let trained: Dataset?

  /// Reads what is there.
  ///
  /// - Throws: `missing` where there is no folder at `path`, `badData` where no run has been in it.
  init(_ path: String) throws(TrainingError) {
    let folder = RunFolder(path)
    guard NIfTIFiles.isFolder(folder.path) else {
      throw .missing("there is no folder \(path); name a run's folder, such as runs/hippocampus")
    }
    let files = [folder.configuration, folder.metrics, folder.manifest]
    guard files.contains(where: { FileManager.default.fileExists(atPath: $0) }) else {
      throw .badData(
        "\(path) is not a run's folder: it holds no lkdist.yaml, metrics.jsonl or manifest.json; "
          + "name the folder that lkdist train wrote to")
    }
    self.folder = folder
    records = Part.read { try RunRecords(folder.metrics) }
    let configuration = Part.read { try Configuration.load(folder.configuration) }
    self.configuration = configuration
    manifest = Part.read { try JSON.parse(InputFile.bytes(of: folder.manifest)) }
      .mapError { Absence("\(folder.manifest) cannot be read: \($0.reason)") }
    let metadata = Self.metadata(in: folder.checkpoints)
    state = metadata.map(\.state)
    dataset = Part.read { try Self.dataset(of: configuration.get()) }
    let labels = (try? metadata.get())?.labels
    trained = labels.flatMap { Dataset(labels: $0, channels: 1, name: "") }
  }

  /// What the newest checkpoint says of the run.
  private static func metadata(in checkpoints: CheckpointFolder) -> Part<CheckpointMetadata> {
    let paths = [checkpoints.last, checkpoints.best].filter {
      FileManager.default.fileExists(atPath: $0)
    }
    guard !paths.isEmpty else { return .failure(Absence("the run has no checkpoint yet")) }
    let parts = paths.map { path in
      Part<CheckpointMetadata>.read {
        guard let metadata = try Checkpoint(path).metadata() else {
          throw Absence("\(path) does not say how it was trained")
        }
        return metadata
      }
    }
    return parts.first { (try? $0.get()) != nil } ?? parts[0]
  }

  private static func dataset(of configuration: Configuration) throws -> Dataset {
    let data = configuration.data
    do {
      return try Dataset.load(data.path, layout: data.layout, needsFiles: false)
        .labeled(data.labels)
    } catch {
      throw Absence("the data set cannot be read where the configuration has it: \(error)")
    }
  }

  /// What is scored; empty where neither the data set nor a checkpoint tells.
  var classes: [ScoredClass] {
    ((try? dataset.get()) ?? trained).map(ScoredClass.scored) ?? []
  }

  /// The names of the classes by their keys in the metrics.
  var classNames: [String: String] {
    Dictionary(classes.map { ($0.key, $0.name) }) { first, _ in first }
  }

  /// The run's name, or for want of a configuration its folder's.
  var name: String { (try? configuration.get())?.name ?? Paths.name(of: folder.path) }

  /// The steps and validations; none where they cannot be read.
  var knownRecords: RunRecords { (try? records.get()) ?? RunRecords() }
}

extension Result where Failure == Absence {
  /// What `body` returns, or the reason why it does not.
  static func read(_ body: () throws -> Success) -> Self {
    do { return .success(try body()) } catch { return .failure(Absence(error)) }
  }
}
