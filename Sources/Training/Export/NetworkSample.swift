import Foundation
import Imaging
import NN
import Tensors

/// A random image and what a network makes of it: what a copy of the network elsewhere is checked with.
enum NetworkSample {
  /// `image`, `logits` and every `attention_<scale>`, in PyTorch's shapes with a batch of one.
  static func tensors(of network: LKUNet, extent: Extent) -> [NamedTensor] {
    let shape = Shape(channels: network.configuration.inputs, extent: extent)
    var stream = RandomStream(seed: 0, purpose: "sample")
    let image = VoxelGrid(shape, values: (0..<shape.count).map { _ in Float(stream.normal()) })
    var attention: [NamedTensor] = []
    network.inspectAttention = { scale, maps in
      attention.append(tensor("attention_\(scale)", maps.gate.shape, sigmoids(of: maps.gate)))
    }
    let logits = network.infer(image)
    network.inspectAttention = nil
    return [
      tensor("image", shape, image.values), tensor("logits", logits.shape, logits.values),
    ] + attention
  }

  private static func tensor(
    _ name: String, _ shape: Shape, _ values: some Collection<Float>
  ) -> NamedTensor {
    let buffer = FloatBuffer(zeros: shape.count)
    _ = buffer.slice.mutableValues.update(fromContentsOf: values)
    return NamedTensor(
      name: name, shape: [1, shape.channels] + shape.extent.zyx, values: buffer.slice)
  }

  private static func sigmoids(of map: FeatureMap) -> [Float] {
    let extent = map.shape.extent
    var values: [Float] = []
    values.reserveCapacity(map.shape.count)
    for channel in 0..<map.shape.channels {
      for voxel in 0..<extent.voxels {
        let (row, x) = voxel.quotientAndRemainder(dividingBy: extent.width)
        let (z, y) = row.quotientAndRemainder(dividingBy: extent.height)
        values.append(1 / (1 + exp(-map[channel, z, y, x])))
      }
    }
    return values
  }
}
