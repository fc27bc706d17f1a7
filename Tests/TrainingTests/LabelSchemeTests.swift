import Imaging
import NN
import Tensors
import Testing

import Training

@Suite struct LabelSchemeTests {
  private static let brats = Dataset(
    name: "BraTS", channelNames: ["T1"],
    labels: [0, 1, 2, 4].map { DatasetLabel(value: $0, name: "l\($0)") },
    regions: [
      Region(name: "ET", values: [4], painted: 4, layer: 2),
      Region(name: "TC", values: [1, 4], painted: 1, layer: 1),
      Region(name: "WT", values: [1, 2, 4], painted: 2, layer: 0),
    ], subjects: [])

  private func patch(_ labels: [Int16]) -> Patch {
    let extent = Extent(depth: 1, height: 1, width: labels.count)
    return Patch(
      image: VoxelGrid(zeros: Shape(channels: 1, extent: extent)), labels: labels, subject: "s",
      epoch: 0, position: 0, corner: VoxelIndex(z: 0, y: 0, x: 0))
  }

  private func channels(_ grid: VoxelGrid) -> [[Float]] {
    (0..<grid.shape.channels).map { Array(grid.channel($0)) }
  }

  @Test func `each region is an output in data-set order`() {
    let scheme = LabelScheme(of: Self.brats, loss: .diceBCE)
    #expect(scheme.outputs == 3)
    guard case .regions(let grid, let ignored) = scheme.target(of: patch([0, 1, 2, 4])) else {
      Issue.record("no regions")
      return
    }
    #expect(channels(grid) == [[0, 0, 0, 1], [0, 1, 0, 1], [0, 1, 1, 1]])
    #expect(ignored == nil)
  }

  @Test func `regions are painted whole tumor first, enhancing tumor last`() {
    let scheme = LabelScheme(of: Self.brats, loss: .diceBCE)
    // All eight combinations of ET, TC and WT; 0.5 itself is not above the threshold.
    let bits = (0..<8).map { index in (0..<3).map { index >> $0 & 1 } }
    let values = (0..<3).flatMap { region in bits.map { $0[region] == 1 ? Float(0.51) : 0.5 } }
    let geometry = Geometry(
      extent: Extent(depth: 1, height: 1, width: 8), affine: Affine(spacing: [1, 1, 1]))
    let path = PreparationPath(
      stored: geometry, axes: .identity,
      crop: VoxelBox(lower: [0, 0, 0], extent: geometry.extent), prepared: geometry)
    var painter = LabelMapPainter(scheme, path: path, on: Compute(threads: 1))
    painter.paint(0..<1, VoxelGrid(Shape(channels: 3, extent: geometry.extent), values: values))
    #expect(painter.finish().labels == [0, 4, 1, 4, 2, 4, 1, 4])
  }

  @Test func `without regions each class is one, and ignored voxels do not count`() {
    var dataset = Self.brats
    dataset.regions = []
    dataset.ignoredLabel = 3
    let voxels: [Int16] = [0, 1, 2, 4, LabelMap.ignored]
    let scheme = LabelScheme(of: dataset, loss: .diceBCE)
    guard case .regions(let grid, let ignored) = scheme.target(of: patch(voxels)) else {
      Issue.record("no regions")
      return
    }
    #expect(channels(grid) == [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]])
    #expect(ignored == [false, false, false, false, true])
    let softmax = LabelScheme(of: dataset, loss: .diceCE)
    guard case .labels(let classes, let ignore) = softmax.target(of: patch(voxels)) else {
      Issue.record("no labels")
      return
    }
    #expect(softmax.outputs == 4)
    #expect(classes == [0, 1, 2, 3, -1] && ignore == -1)
  }

  @Test(arguments: [Loss.diceCE, .diceBCE, .weightedDice])
  func `ignored voxels change no loss and get no gradient`(kind: Loss) {
    var dataset = Self.brats
    dataset.ignoredLabel = 3
    let scheme = LabelScheme(of: dataset, loss: kind)
    let compute = Compute(threads: 1)
    func loss(_ last: Float) -> LossResult {
      let voxels: [Int16] = [0, 1, 2, 4, 4, 1, 0, LabelMap.ignored]
      let patch = patch(voxels)
      var logits = VoxelGrid(
        zeros: Shape(channels: scheme.outputs, extent: patch.image.shape.extent))
      for channel in 0..<scheme.outputs {
        let values = logits.mutableChannel(channel)
        for voxel in values.indices { values[voxel] = Float(channel * voxel % 3) - 0.7 }
        values[7] = last * Float(channel + 1)
      }
      return kind([logits], target: scheme.target(of: patch), scale: 1, on: compute)
    }
    let (one, other) = (loss(-2), loss(5))
    #expect(one.value == other.value)
    #expect(channels(one.gradients[0]) == channels(other.gradients[0]))
    #expect(channels(one.gradients[0]).allSatisfy { $0[7] == 0 })
    #expect(channels(one.gradients[0]).contains { $0.contains { $0 != 0 } })
  }

  @Test func `a checkpoint keeps labels, regions and the ignored label`() throws {
    var dataset = Self.brats
    dataset.ignoredLabel = 3
    let json = LabelScheme(of: dataset, loss: .diceBCE).json
    let kept = try #require(Dataset(labels: try JSON.parse(json.text), channels: 1, name: "n"))
    #expect(kept.labels == dataset.labels)
    #expect(kept.regions == dataset.regions)
    #expect(kept.ignoredLabel == 3)
    #expect(kept.channelNames == ["channel 0"])
    #expect(Dataset(labels: .null, channels: 1, name: "n")?.name == nil)
  }
}
