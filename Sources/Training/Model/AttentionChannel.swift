import Imaging
import Kernels
import NN
import Tensors

/// What is read of the attention gate in a decoder stage, to be made a map of a whole subject.
package struct AttentionChannel: Hashable, Sendable {
  /// The decoder stage of the gate, at 1/2^`scale` of the prepared volume's resolution.
  package let scale: Int
  package let readout: AttentionReadout

  package init(scale: Int, _ readout: AttentionReadout) {
    (self.scale, self.readout) = (scale, readout)
  }

  /// Such as "scale2", or "scale2_channel5" for a channel on its own.
  package var name: String {
    if case .channel(let channel) = readout { return "scale\(scale)_channel\(channel)" }
    return "scale\(scale)"
  }
}

extension ModelConfiguration {
  /// The modules that have a gate to be looked at; CBAM has none.
  package var gates: [AttentionPlacement] { attention.filter { $0.kind != .cbam } }

  /// Every readout of every gate, coarsest gate first; readouts of channels that a gate does not have
  /// are left out.
  package func attentionChannels(_ readouts: [AttentionReadout]) -> [AttentionChannel] {
    gates.map(\.scale).sorted(by: >).flatMap { scale in
      readouts.filter { $0.exists(amongChannels: channels(atScale: scale)) }
        .map { AttentionChannel(scale: scale, $0) }
    }
  }
}

extension LKUNet {
  /// The logits of the finest head, followed by a channel for each of `attention`, which are brought
  /// to the image's voxels linearly; keeps nothing.
  package func infer(
    _ image: VoxelGrid, attention: [AttentionChannel], on compute: Compute
  ) -> VoxelGrid {
    guard !attention.isEmpty else { return infer(image) }
    var readouts: [AttentionChannel: VoxelGrid] = [:]
    inspectAttention = { scale, seen in
      for channel in attention where channel.scale == scale {
        readouts[channel] = channel.readout.values(seen.input, gate: seen.gate, on: compute)
      }
    }
    defer { inspectAttention = nil }
    let logits = infer(image)
    let (extent, outputs) = (image.shape.extent, logits.shape.channels)
    let shape = Shape(channels: outputs + attention.count, extent: extent)
    var all = VoxelGrid(uninitialized: shape, from: compute.pool)
    _ = all.mutableValues().update(fromContentsOf: logits.values)
    for (index, channel) in attention.enumerated() {
      guard let readout = readouts[channel] else {
        preconditionFailure("the network has no attention at scale \(channel.scale)")
      }
      let fine = Resampling.linear(
        Array(readout.values), from: readout.shape.extent, to: extent, smoothing: false)
      _ = all.mutableChannel(outputs + index).update(fromContentsOf: fine)
    }
    return all
  }
}
