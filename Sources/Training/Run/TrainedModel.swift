import Imaging
import NN
import Tensors

/// A network with its weights, and what its checkpoint says about its use.
package struct TrainedModel {
  package let model: LKUNet
  /// Channels of an image.
  package var inputs: Int { model.configuration.inputs }
  package let scheme: LabelScheme
  package let patch: Extent
  package let preparation: PreparationSettings
  /// What is done to its label maps.
  package let postprocessing: [PostprocessingStep]
  /// The labels and channels of the training data; no subjects.
  package let dataset: Dataset

  /// Loads the checkpoint at `path`.
  ///
  /// - Throws: `missing`, `inputOutput` for a damaged file, `configuration` for one that does not
  ///   say how it was trained.
  package init(_ path: String, on compute: Compute) throws(TrainingError) {
    let checkpoint = try Checkpoint(path)
    let stem = checkpoint.file.entries.first { $0.name == "encoder.0.conv1.weight" }
    guard let metadata = try checkpoint.metadata(), let stem, stem.shape.count == 5,
      let trained = Dataset(
        labels: metadata.labels, channels: stem.shape[1], name: metadata.configuration.name)
    else {
      throw .configuration(
        "\(path) does not say how it was trained; predict with a checkpoint that lkdist wrote")
    }
    let configuration = metadata.configuration
    let inputs = stem.shape[1]
    dataset = trained
    scheme = LabelScheme(of: trained, loss: configuration.criterion)
    patch = configuration.patchExtent
    postprocessing = try configuration.postprocessingSteps(for: scheme)
    preparation = try configuration.preparation(
      channels: inputs, statistics: metadata.intensities.intensities)
    let parts = try configuration.modelConfiguration(inputs: inputs, outputs: scheme.outputs)
    do throws(ModelError) {
      model = try LKUNet(parts, on: compute, seed: 0)
    } catch {
      throw .configuration("\(path): \(error)")
    }
    try checkpoint.load(weights: model.parameters.namedValues)
  }
}
