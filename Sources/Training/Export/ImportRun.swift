import Collectives
import Files
import Foundation
import Imaging
import NN
import Tensors

/// One call of `lkdist import`: weights from elsewhere become a checkpoint to predict with.
package struct ImportRun {
  /// Where the checkpoint takes from what weights do not say: labels, preparation, patch size.
  package enum Source: Sendable {
    /// Another checkpoint of the same kind of network.
    case checkpoint(String)
    /// A configuration, whose data set is read.
    case configuration(String, overrides: [String])
  }

  private let weights: String
  private let source: Source

  package init(weights: String, source: Source) {
    self.weights = weights
    self.source = source
  }

  /// Writes the checkpoint.
  ///
  /// - Throws: `configuration` naming the first tensor that the network has otherwise, `badData`
  ///   for weights that are not finite, `inputOutput` for a file that exists, unless it may be
  ///   overwritten.
  package func write(to path: String, overwrites: Bool) throws {
    try ResultFile.check(path, overwrites: overwrites)
    let (model, metadata) = try described()
    let network = try LKUNet(model, on: Compute(threads: 1), seed: 0)
    let tensors = network.parameters.namedValues
    try Checkpoint(weights).load(weights: tensors)
    for tensor in tensors where !tensor.values.isFinite {
      throw TrainingError.badData(
        "\(weights): tensor '\(tensor.name)' has values that are not finite; was it still training?"
      )
    }
    try Checkpoint.write(to: path, weights: tensors, metadata: metadata)
  }

  private func described() throws -> (ModelConfiguration, CheckpointMetadata) {
    switch source {
    case .checkpoint(let path):
      let trained = try TrainedModel(path, on: Compute(threads: 1))
      guard var metadata = try Checkpoint(path).metadata() else {
        throw TrainingError.configuration("\(path) does not say how it was trained")
      }
      metadata.state = Self.state(metadata.configuration)
      return (trained.model.configuration, metadata)
    case .configuration(let path, let overrides):
      let configuration = try Configuration.load(path, overrides: overrides)
      let session = try MPISession()
      let setup = try RunSetup(configuration, world: session.world)
      try session.finalize()
      let metadata = CheckpointMetadata(
        state: Self.state(configuration), configuration: configuration, labels: setup.scheme.json,
        intensities: .intensities(setup.intensities))
      return (setup.model, metadata)
    }
  }

  /// Nothing is known of how the weights came about, nor of their scores.
  private static func state(_ configuration: Configuration) -> CheckpointState {
    CheckpointState(step: 0, epoch: 0, ranks: 1, seed: configuration.seed)
  }
}
