import Files
import Foundation
import Tensors

/// A checkpoint on the disk: `last` to go on from, `best` with weights only.
package struct Checkpoint: Sendable {
  /// The version of the metadata; a later one may say things that this program does not know.
  static let format = 1
  static let firstMoment = "optimizer.first."
  static let secondMoment = "optimizer.second."

  package let file: SafetensorsFile

  /// Opens the checkpoint at `path` and checks its header; the tensors are left for `load`.
  ///
  /// - Throws: `missing`, `damaged`, or `inputOutput` for a file that may not be read.
  package init(_ path: String) throws(TrainingError) {
    file = try SafetensorsFile(path)
    if let text = file.metadata["format"], let format = Int(text), format > Self.format {
      throw .configuration(
        "the checkpoint \(path) has format \(format), this lkdist reads up to \(Self.format): "
          + "use the lkdist that wrote it")
    }
  }

  /// Whether the optimizer's moments are in the file, so that a run can go on from it.
  package var isResumable: Bool { file.entries.contains { $0.name.hasPrefix(Self.firstMoment) } }

  /// What lkdist wrote besides the tensors; nil for weights from elsewhere.
  ///
  /// - Throws: `damaged` for metadata that cannot be understood.
  package func metadata() throws(TrainingError) -> CheckpointMetadata? {
    guard let state = file.metadata["state"] else { return nil }
    let decoded = try? JSONDecoder().decode(CheckpointState.self, from: Data(state.utf8))
    guard let decoded, decoded.isPossible else {
      throw .damaged(file: file.path, reason: "its state is garbled")
    }
    return CheckpointMetadata(
      state: decoded,
      configuration: try Configuration.parse(
        file.metadata["configuration"] ?? "", file: "\(file.path) (configuration)", folder: "/"),
      labels: try json("labels"), intensities: try json("intensities"))
  }

  private func json(_ key: String) throws(TrainingError) -> JSON {
    guard let text = file.metadata[key] else { return .null }
    do throws(JSONError) { return try JSON.parse(text) } catch {
      throw .damaged(file: file.path, reason: "its \(key) are garbled")
    }
  }

  /// The state from which a run with `configuration` and `labels` can go on.
  ///
  /// - Throws: `configuration` naming the first key of the model that has changed, or the labels.
  package func resumableState(
    with configuration: Configuration, labels: JSON
  ) throws(TrainingError) -> CheckpointState {
    guard isResumable, let metadata = try metadata() else {
      throw .configuration(
        "the checkpoint \(file.path) holds weights only: a run cannot go on from it, but can start "
          + "from it with --weights")
    }
    let made = "the checkpoint \(file.path) was made with "
    let advice = "; go back to what it was, or choose another output folder"
    if case .object(let members) = configuration.json["model"] {
      let old = metadata.configuration.json["model"]
      for member in members where old?[member.key] != member.value {
        throw .configuration(
          "\(made)model.\(member.key) \(old?[member.key]?.yamlText ?? "missing"), now it is "
            + "\(member.value.yamlText)\(advice)")
      }
    }
    guard metadata.labels == labels else { throw .configuration("\(made)other labels\(advice)") }
    return metadata.state
  }

  /// Reads weights, and the moments where given, into their slices and verifies the checksum.
  ///
  /// On an error the slices may hold parts of the file.
  /// - Throws: `configuration` naming the first tensor that another architecture has otherwise,
  ///   `damaged` for a file whose data do not match their checksum.
  package func load(
    weights: [NamedTensor], first: [NamedTensor] = [], second: [NamedTensor] = []
  ) throws(TrainingError) {
    let wanted = Self.tensors(weights, first, second)
    try checkArchitecture(wanted)
    try compare(sum: file.read(into: wanted))
  }

  /// Reads the whole file and verifies its metadata and checksum.
  ///
  /// - Throws: `damaged` for a file that is not as it was written.
  package func verify() throws(TrainingError) {
    _ = try metadata()
    try compare(sum: file.read(into: []))
  }

  /// Replaces the checkpoint by one whose configuration has other post-processing; the rest stays.
  ///
  /// - Throws: `damaged` for a checkpoint that is not whole, `inputOutput` where it cannot be written.
  package func setPostprocessing(
    _ steps: [Configuration.Postprocessing]
  ) throws(TrainingError) {
    try verify()
    guard var configuration = try metadata()?.configuration else { return }
    configuration.postprocessing = steps
    var metadata = file.metadata
    metadata["configuration"] = configuration.json.text
    try file.replaceMetadata(metadata)
  }

  private func compare(sum: String) throws(TrainingError) {
    guard let text = file.metadata["sha256"], text != JSON.string(sum).text else { return }
    throw .damaged(file: file.path, reason: "its data do not match their checksum")
  }

  private func checkArchitecture(_ wanted: [NamedTensor]) throws(TrainingError) {
    let shapes = Dictionary(file.entries.map { ($0.name, $0.shape) }) { first, _ in first }
    for tensor in wanted {
      guard let shape = shapes[tensor.name] else {
        throw otherArchitecture(tensor.name, "is not in the file, \(Self.size(tensor.shape)) in ")
      }
      guard shape == tensor.shape else {
        throw otherArchitecture(
          tensor.name, "is \(Self.size(shape)) in the file, \(Self.size(tensor.shape)) in ")
      }
    }
    let names = Set(wanted.map(\.name))
    let extra = file.entries.first {
      !names.contains($0.name) && !$0.name.hasPrefix(Self.firstMoment)
        && !$0.name.hasPrefix(Self.secondMoment)
    }
    if let extra {
      throw otherArchitecture(extra.name, "is \(Self.size(extra.shape)) in the file, not in ")
    }
  }

  private func otherArchitecture(_ name: String, _ difference: String) -> TrainingError {
    .configuration(
      "the checkpoint \(file.path) is of another architecture: tensor '\(name)' \(difference)the "
        + "model; use the configuration it was trained with, or another output folder")
  }

  private static func size(_ shape: [Int]) -> String {
    shape.isEmpty ? "a single value" : shape.map(String.init).joined(separator: "x")
  }

  private static func tensors(
    _ weights: [NamedTensor], _ first: [NamedTensor], _ second: [NamedTensor]
  ) -> [NamedTensor] {
    weights + first.map { $0.renamed(firstMoment + $0.name) }
      + second.map { $0.renamed(secondMoment + $0.name) }
  }
}

extension Checkpoint {
  /// Writes a checkpoint, which replaces the one at `path` only when it is complete.
  ///
  /// The tensors are `best`'s if `first` and `second`, Adam's moments under their weights' names,
  /// are left out, and `last`'s otherwise.
  /// - Parameters:
  ///   - wrote: is told the bytes of each tensor that was written.
  ///   - willReplace: is called when the new checkpoint is on the disk and about to take its name.
  /// - Throws: `inputOutput` naming the path and the reason; the old checkpoint is then untouched.
  package static func write(
    to path: String, weights: [NamedTensor], first: [NamedTensor] = [], second: [NamedTensor] = [],
    metadata: CheckpointMetadata, wrote: (Int) -> Void = { _ in },
    willReplace: () throws(FileError) -> Void = {}
  ) throws(TrainingError) {
    let tensors = tensors(weights, first, second)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let state = try? encoder.encode(metadata.state) else {
      throw .internal("the state \(metadata.state) cannot be written as JSON")
    }
    let strings = [
      ("format", String(format)), ("state", String(decoding: state, as: UTF8.self)),
      ("configuration", metadata.configuration.json.text), ("labels", metadata.labels.text),
      ("intensities", metadata.intensities.text),
      ("sha256", JSON.string(Safetensors.sha256(tensors)).text),
    ]
    try Safetensors.write(
      tensors, metadata: strings, to: path, kind: "checkpoint", wrote: wrote,
      willReplace: willReplace)
  }
}

extension NamedTensor {
  fileprivate func renamed(_ name: String) -> NamedTensor {
    NamedTensor(name: name, shape: shape, values: values)
  }
}
