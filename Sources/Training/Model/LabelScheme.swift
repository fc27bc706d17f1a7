import Imaging
import Kernels
import NN
import Tensors

/// How a data set's labels become a network's outputs, and its outputs labels again.
///
/// Softmax models have one output per label, background first; region models (`dice-bce`) one
/// sigmoid output per region in data-set order, of which a plain label list makes one per class.
package struct LabelScheme: Sendable, Equatable {
  /// The labels in ascending order, background first.
  package let labels: [DatasetLabel]
  /// Whether the outputs are regions that may overlap.
  package let usesRegions: Bool

  package init(labels: [DatasetLabel], loss: Loss) {
    self.labels = labels
    usesRegions = loss == .diceBCE
  }

  /// The labels other than background.
  package var foreground: ArraySlice<DatasetLabel> { labels.dropFirst() }

  /// The number of channels of the logits.
  package var outputs: Int { usesRegions ? foreground.count : labels.count }

  /// What the loss compares the logits of one patch with.
  package func target(of patch: Patch) -> Target {
    usesRegions ? .regions(regions(of: patch)) : .labels(classes(of: patch))
  }

  /// The index of each voxel's label among the outputs.
  private func classes(of patch: Patch) -> [Int16] {
    if labels.enumerated().allSatisfy({ $0 == Int($1.value) }) { return patch.labels }
    var classes = [Int16: Int16]()
    for (index, label) in labels.enumerated() { classes[Int16(label.value)] = Int16(index) }
    return patch.labels.map { classes[$0] ?? 0 }
  }

  private func regions(of patch: Patch) -> VoxelGrid {
    let shape = Shape(channels: outputs, extent: patch.image.shape.extent)
    var grid = VoxelGrid(zeros: shape)
    for (index, label) in foreground.enumerated() {
      let channel = grid.mutableChannel(index)
      for (voxel, value) in patch.labels.enumerated() where Int(value) == label.value {
        channel[voxel] = 1
      }
    }
    return grid
  }

  /// The label of each voxel where region probabilities above 0.5 are painted in order.
  package func painted(_ probabilities: VoxelGrid) -> [Int16] {
    var map = [Int16](repeating: 0, count: probabilities.shape.extent.voxels)
    for (index, label) in foreground.enumerated() {
      for (voxel, probability) in probabilities.channel(index).enumerated() where probability > 0.5
      {
        map[voxel] = Int16(label.value)
      }
    }
    return map
  }

  /// Turns logits into probabilities in place: sigmoid for regions, softmax over classes otherwise.
  package func activate(_ logits: inout VoxelGrid, on compute: Compute) {
    usesRegions
      ? Activation.sigmoid(&logits, on: compute) : Activation.softmax(&logits, on: compute)
  }
}
