import Imaging
import Kernels
import NN
import Tensors

/// What was read of an attention gate over a whole subject.
package struct AttentionMap: Sendable {
  /// The decoder stage of the gate, at 1/2^`scale` of the prepared volume's resolution.
  package let scale: Int
  package let readout: AttentionReadout
  /// One channel on the subject's own grid, 0 outside what was kept of it.
  package var volume: Volume
}

/// Runs a network over a subject to see what its attention gates do.
///
/// The windows and their weights are those of the segmenter. Each window's map is brought to the
/// window's voxels linearly, then averaged as logits are.
package struct AttentionMapper {
  private let model: LKUNet
  private let patch: Extent
  private let overlap: Double
  private let readouts: [AttentionReadout]
  private let compute: Compute

  /// - Parameter overlap: the share of a window that its neighbor covers again, in 0..<1.
  package init(
    model: LKUNet, patch: Extent, overlap: Double = 0.5, readouts: [AttentionReadout],
    on compute: Compute
  ) {
    self.model = model
    self.patch = patch
    self.overlap = overlap
    self.readouts = readouts
    self.compute = compute
  }

  /// Every readout of every gate, coarsest gate first; readouts of channels that a gate does not
  /// have are left out.
  package func maps(of subject: PreparedSubject) -> [AttentionMap] {
    let volume = subject.extent
    let importance = SlidingWindow.importance(patch)
    var sums: [WindowMap] = []
    var weights = [Float](repeating: 0, count: volume.voxels)
    for corner in SlidingWindow.windows(extent: volume, patch: patch, overlap: overlap) {
      let window = PatchWindow(corner: corner, extent: patch, volume: volume)
      let maps = read(window.cut(subject.image, from: compute.pool))
      if sums.isEmpty { sums = maps.map { $0.empty(volume) } }
      for (index, map) in maps.enumerated() {
        sums[index].add(map, window, weighted: importance)
      }
      window.forEachRow { row, volumeRow, count in
        for x in 0..<count { weights[volumeRow + x] += importance[row + x] }
      }
    }
    return sums.map { sum in
      AttentionMap(
        scale: sum.scale, readout: sum.readout,
        volume: subject.path.onOwnGrid(zip(sum.values, weights).map { $0 / $1 }))
    }
  }

  /// The readouts of one window, at the gates' resolutions.
  private func read(_ image: VoxelGrid) -> [WindowMap] {
    var maps: [WindowMap] = []
    model.inspectAttention = { scale, seen in
      for readout in readouts where readout.exists(in: seen.gate) {
        let grid = readout.values(seen.input, gate: seen.gate, on: compute)
        maps.append(
          WindowMap(
            scale: scale, readout: readout, extent: grid.shape.extent, values: Array(grid.values)))
      }
    }
    defer { model.inspectAttention = nil }
    _ = model.infer(image)
    return maps
  }
}

/// One readout of a window, or its weighted sum over the windows of a volume.
private struct WindowMap {
  let scale: Int
  let readout: AttentionReadout
  let extent: Extent
  var values: [Float]

  /// A sum over no window yet.
  func empty(_ volume: Extent) -> WindowMap {
    WindowMap(
      scale: scale, readout: readout, extent: volume,
      values: [Float](repeating: 0, count: volume.voxels))
  }

  mutating func add(_ map: WindowMap, _ window: PatchWindow, weighted importance: [Float]) {
    let fine = Resampling.linear(map.values, from: map.extent, to: window.extent, smoothing: false)
    window.forEachRow { row, volumeRow, count in
      for x in 0..<count { values[volumeRow + x] += fine[row + x] * importance[row + x] }
    }
  }
}

extension PreparationPath {
  /// One channel on the prepared grid brought to the subject's own, linearly; 0 outside the crop box.
  fileprivate func onOwnGrid(_ values: [Float]) -> Volume {
    let cropped = Resampling.linear(
      values, from: prepared.extent, to: crop.extent, smoothing: false)
    var grid = VoxelGrid(zeros: Shape(channels: 1, extent: stored.extent))
    cropped.withUnsafeBufferPointer {
      axes.scatter($0, crop, into: grid.mutableValues(), stored.extent)
    }
    return Volume(grid: grid, geometry: stored)
  }
}
