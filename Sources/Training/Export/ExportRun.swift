import Files
import Foundation
import Imaging
import NN
import Tensors

/// One call of `lkdist export`: a checkpoint in the forms that others read.
package struct ExportRun {
  /// The files to write; those that are nil are not.
  package struct Outputs: Sendable {
    /// Weights only, under PyTorch's names.
    package var safetensors: String?
    package var onnx: String?
    /// A random image with the network's logits and attention.
    package var sample: String?
    /// The model card.
    package var card: String?

    package init(
      safetensors: String? = nil, onnx: String? = nil, sample: String? = nil, card: String? = nil
    ) {
      self.safetensors = safetensors
      self.onnx = onnx
      self.sample = sample
      self.card = card
    }

    /// The paths of all files that are wanted.
    package var paths: [String] { [safetensors, onnx, sample, card].compactMap { $0 } }
  }

  private let path: String
  private let checkpoint: Checkpoint
  private let metadata: CheckpointMetadata
  private let trained: TrainedModel

  /// Reads the checkpoint at `path`.
  ///
  /// - Throws: `missing`, `damaged`, or `configuration` for one that does not say how it was trained.
  package init(_ path: String, threads: Int?) throws(TrainingError) {
    self.path = path
    checkpoint = try Checkpoint(path)
    // A copy elsewhere is compared with what the network says, not with the fast kernels' errors.
    trained = try TrainedModel(path, on: Compute(threads: threads ?? 1, precision: .exact))
    guard let metadata = try checkpoint.metadata() else {
      throw .configuration("\(path) does not say how it was trained")
    }
    self.metadata = metadata
  }

  /// Writes the files, each whole or not at all.
  ///
  /// - Parameter givesAttention: whether the ONNX model has outputs `attention_<scale>`.
  /// - Throws: `inputOutput` naming a file that exists, unless it may be overwritten, before any is
  ///   written, or that cannot be written.
  package func write(
    _ outputs: Outputs, givesAttention: Bool, overwrites: Bool
  ) throws(TrainingError) {
    for path in outputs.paths { try ResultFile.check(path, overwrites: overwrites) }
    if let path = outputs.safetensors { try writeWeights(to: path) }
    if let path = outputs.onnx { try writeONNX(to: path, givesAttention: givesAttention) }
    if let path = outputs.sample { try writeSample(to: path) }
    if let path = outputs.card {
      try AtomicFile.write(card.text, to: path, kind: "model card")
    }
  }

  private func writeWeights(to path: String) throws(TrainingError) {
    try Checkpoint.write(
      to: path, weights: trained.model.parameters.namedValues, metadata: metadata)
  }

  private func writeONNX(to path: String, givesAttention: Bool) throws(TrainingError) {
    let texts = ["configuration", "labels", "intensities"].compactMap { key in
      checkpoint.file.metadata[key].map { (key: key, value: $0) }
    }
    let bytes = try ONNXModel.bytes(
      of: trained.model, name: metadata.configuration.name, metadata: texts,
      givesAttention: givesAttention)
    try AtomicFile.write(path, kind: "ONNX model") { file throws(FileError) in
      try file.write(bytes)
    }
  }

  private func writeSample(to path: String) throws(TrainingError) {
    try Safetensors.write(
      NetworkSample.tensors(of: trained.model, extent: trained.patch), metadata: [], to: path,
      kind: "sample")
  }

  private var card: ModelCard {
    ModelCard(
      name: Paths.name(of: path), metadata: metadata, model: trained.model.configuration,
      parameters: trained.model.parameters.count, classes: ScoredClass.scored(of: trained.dataset),
      run: RunFolder.holding(checkpoint: path))
  }
}

extension RunFolder {
  /// The folder of the run that a checkpoint lies in; nil for a checkpoint on its own.
  static func holding(checkpoint path: String) -> RunFolder? {
    let absolute = Paths.absolute(path, from: Paths.workingDirectory)
    let folder = RunFolder(Paths.folder(of: Paths.folder(of: absolute)))
    return FileManager.default.fileExists(atPath: folder.metrics) ? folder : nil
  }
}
