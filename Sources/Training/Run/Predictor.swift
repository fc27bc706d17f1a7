import Foundation
import Imaging
import NN
import Tensors

/// Segments new images with trained checkpoints.
package struct Predictor {
  private let segmenters: [Segmenter]
  private let preparations: [PreparationSettings]
  private let dataset: Dataset

  /// Loads checkpoints of one data set, whose probabilities will be averaged.
  ///
  /// - Throws: `TrainingError` naming the checkpoint that is missing, damaged or does not fit.
  package init(
    checkpoints: [String], overlap: Double, on compute: Compute
  ) throws(TrainingError) {
    var segmenters: [Segmenter] = []
    var preparations: [PreparationSettings] = []
    var dataset: Dataset?
    for path in checkpoints {
      let trained = try TrainedModel(path, on: compute)
      if let first = segmenters.first?.scheme, first != trained.scheme {
        throw .configuration("\(path) was trained on other labels than \(checkpoints[0])")
      }
      dataset = trained.dataset
      preparations.append(trained.preparation)
      segmenters.append(
        Segmenter(
          model: trained.model, scheme: trained.scheme, patch: trained.patch, overlap: overlap,
          on: compute))
    }
    guard let dataset else { throw .configuration("no checkpoint to predict with") }
    self.dataset = dataset
    self.segmenters = segmenters
    self.preparations = preparations
  }

  /// The label map of a subject on its own grid.
  package func labelMap(of subject: Subject) throws(ImagingError) -> LabelMap {
    var sum: VoxelGrid?
    var prepared: PreparedSubject?
    for (segmenter, settings) in zip(segmenters, preparations) {
      let subject = try Preparation.prepare(subject, dataset: dataset, settings: settings)
      let probabilities = segmenter.probabilities(of: subject.image)
      if let prepared, prepared.path.prepared != subject.path.prepared {
        throw .configuration("the checkpoints prepare images differently and cannot be averaged")
      }
      sum = sum.map { Self.sum($0, probabilities) } ?? probabilities
      prepared = subject
    }
    guard let sum, let prepared else { throw .configuration("no checkpoint to predict with") }
    return segmenters[0].labelMap(
      ofProbabilities: Self.scaled(sum, by: 1 / Float(segmenters.count)), of: prepared)
  }

  private static func sum(_ a: VoxelGrid, _ b: VoxelGrid) -> VoxelGrid {
    var result = a
    let values = result.mutableValues()
    for index in values.indices { values[index] += b.values[index] }
    return result
  }

  private static func scaled(_ grid: VoxelGrid, by factor: Float) -> VoxelGrid {
    guard factor != 1 else { return grid }
    var result = grid
    let values = result.mutableValues()
    for index in values.indices { values[index] *= factor }
    return result
  }
}

/// A network with its weights, and what its checkpoint says about its use.
package struct TrainedModel {
  package let model: LKUNet
  package let scheme: LabelScheme
  package let patch: Extent
  package let preparation: PreparationSettings
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
