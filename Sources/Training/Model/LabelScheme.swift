import Imaging
import Kernels
import NN
import Tensors

/// How a data set's labels become a network's outputs, and its outputs labels again.
///
/// Softmax models have one output per label, background first; region models (`dice-bce`) one
/// sigmoid output per region in data-set order; without regions each class is one.
package struct LabelScheme: Sendable, Equatable {
  /// The labels in ascending order, background first.
  package let labels: [DatasetLabel]
  /// The data set's own regions, which are scored; may be empty.
  package let regions: [Region]
  /// The label of voxels that leave every sum of the loss.
  package let ignoredLabel: Int?
  /// Whether the outputs are regions that may overlap.
  package let usesRegions: Bool

  /// The scheme of a data set's labels; its subjects do not matter.
  package init(of dataset: Dataset, loss: Loss) {
    labels = dataset.labels
    regions = dataset.regions
    ignoredLabel = dataset.ignoredLabel
    usesRegions = loss == .diceBCE
  }

  /// What each output of a region model stands for.
  package var outputRegions: [Region] {
    guard regions.isEmpty else { return regions }
    return labels.dropFirst().enumerated().map { layer, label in
      Region(name: label.name, values: [label.value], painted: label.value, layer: layer)
    }
  }

  /// The number of channels of the logits.
  package var outputs: Int { usesRegions ? outputRegions.count : labels.count }

  /// What the loss compares the logits of one patch with.
  package func target(of patch: Patch) -> Target {
    if usesRegions {
      let ignored = ignoredLabel.map { _ in patch.labels.map { $0 == LabelMap.ignored } }
      return .regions(regions(of: patch), ignored: ignored)
    }
    return .labels(
      classes(of: patch), ignore: ignoredLabel.map { _ in Int(LabelMap.ignored) })
  }

  /// The index of each voxel's label among the outputs; ignored voxels stay so.
  private func classes(of patch: Patch) -> [Int16] {
    if labels.enumerated().allSatisfy({ $0 == Int($1.value) }) { return patch.labels }
    var classes = [LabelMap.ignored: LabelMap.ignored]
    for (index, label) in labels.enumerated() { classes[Int16(label.value)] = Int16(index) }
    return patch.labels.map { classes[$0] ?? 0 }
  }

  private func regions(of patch: Patch) -> VoxelGrid {
    let shape = Shape(channels: outputs, extent: patch.image.shape.extent)
    var grid = VoxelGrid(zeros: shape)
    for (index, region) in outputRegions.enumerated() {
      let channel = grid.mutableChannel(index)
      // A table answers at the same speed however many labels a region has.
      let isMember = (0...(region.values.max() ?? 0)).map(region.values.contains)
      for (voxel, value) in patch.labels.enumerated()
      where isMember.indices.contains(Int(value)) && isMember[Int(value)] {
        channel[voxel] = 1
      }
    }
    return grid
  }

  /// The label of voxels that no output claims.
  package var background: Int16 { usesRegions ? 0 : Int16(labels.first?.value ?? 0) }

  /// Turns logits, the first channels, into probabilities in place: sigmoid for regions, softmax over
  /// classes otherwise.
  package func activate(_ logits: inout VoxelGrid, on compute: Compute) {
    usesRegions
      ? Activation.sigmoid(&logits, channels: outputs, on: compute)
      : Activation.softmax(&logits, channels: outputs, on: compute)
  }
}
