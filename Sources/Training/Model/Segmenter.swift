import Imaging
import NN
import Tensors

/// Segments whole volumes with overlapping windows of the training patch size.
///
/// The rule is MONAI's `sliding_window_inference` with Gaussian weights: logits are averaged over
/// windows, then activated once.
package struct Segmenter {
  package let scheme: LabelScheme
  private let model: LKUNet
  private let compute: Compute
  private let patch: Extent
  private let overlap: Double

  /// - Parameter overlap: the share of a window that its neighbor covers again, in 0..<1.
  package init(
    model: LKUNet, scheme: LabelScheme, patch: Extent, overlap: Double = 0.5, on compute: Compute
  ) {
    self.model = model
    self.scheme = scheme
    self.patch = patch
    self.overlap = overlap
    self.compute = compute
  }

  /// The probabilities of every output on the grid of a prepared image, `[O][D][H][W]`.
  package func probabilities(of image: VoxelGrid) -> VoxelGrid {
    let volume = image.shape.extent
    let importance = SlidingWindow.importance(patch)
    var logits = VoxelGrid(zeros: Shape(channels: scheme.outputs, extent: volume))
    var weights = [Float](repeating: 0, count: volume.voxels)
    for corner in SlidingWindow.windows(extent: volume, patch: patch, overlap: overlap) {
      let window = PatchWindow(corner: corner, extent: patch, volume: volume)
      let output = model.infer(window.cut(image, from: compute.pool))
      window.add(output, weighted: importance, to: &logits, weights: &weights)
    }
    divide(&logits, by: weights)
    scheme.activate(&logits, on: compute)
    return logits
  }

  private func divide(_ logits: inout VoxelGrid, by weights: [Float]) {
    for output in 0..<scheme.outputs {
      let values = logits.mutableChannel(output)
      for voxel in weights.indices { values[voxel] /= weights[voxel] }
    }
  }

  /// The label map of a prepared subject on the subject's own grid.
  package func labelMap(of subject: PreparedSubject) -> LabelMap {
    labelMap(ofProbabilities: probabilities(of: subject.image), of: subject)
  }

  /// The label map that probabilities on a subject's prepared grid make on its own grid.
  package func labelMap(
    ofProbabilities probabilities: VoxelGrid, of subject: PreparedSubject
  ) -> LabelMap {
    guard scheme.usesRegions else {
      let values = scheme.labels.map { Int16($0.value) }
      return Preparation.labelsToOriginal(probabilities, of: subject, values: values)
    }
    let own = Preparation.probabilitiesToOriginal(
      probabilities, of: subject, hasBackground: false)
    return LabelMap(labels: scheme.painted(own), geometry: subject.path.stored)
  }
}

extension PatchWindow {
  /// Adds a window's logits times the weight of each voxel, and the weights, to a volume's sums.
  fileprivate func add(
    _ logits: VoxelGrid, weighted importance: [Float], to sum: inout VoxelGrid,
    weights: inout [Float]
  ) {
    for output in 0..<logits.shape.channels {
      let source = logits.channel(output)
      let target = sum.mutableChannel(output)
      forEachRow { row, volumeRow, count in
        for x in 0..<count {
          target[volumeRow + x] += source[row + x] * importance[row + x]
        }
      }
    }
    forEachRow { row, volumeRow, count in
      for x in 0..<count { weights[volumeRow + x] += importance[row + x] }
    }
  }
}
