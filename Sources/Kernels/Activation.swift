import Foundation
import Tensors

/// Turns logits into probabilities in place: those in the first channels of a grid.
package enum Activation {
  private static let run = 16_384

  /// The logistic function of every logit.
  package static func sigmoid(_ logits: inout VoxelGrid, channels: Int, on compute: Compute) {
    let values = logits.mutableValues()
    compute.team.forChunks(of: channels * logits.shape.extent.voxels, length: run) { _, range in
      for index in range { values[index] = 1 / (1 + exp(-values[index])) }
    }
  }

  /// The softmax over the logits of every voxel.
  package static func softmax(_ logits: inout VoxelGrid, channels: Int, on compute: Compute) {
    let voxels = logits.shape.extent.voxels
    let values = logits.mutableValues()
    compute.team.forChunks(of: voxels, length: run) { _, range in
      for voxel in range { softmax(values, at: voxel, stride: voxels, channels: channels) }
    }
  }

  private static func softmax(
    _ values: UnsafeMutableBufferPointer<Float>, at voxel: Int, stride: Int, channels: Int
  ) {
    let voxelValues = Swift.stride(from: voxel, to: voxel + channels * stride, by: stride)
    let largest = voxelValues.reduce(-Float.infinity) { max($0, values[$1]) }
    var sum: Float = 0
    for index in voxelValues {
      values[index] = exp(values[index] - largest)
      sum += values[index]
    }
    for index in voxelValues { values[index] /= sum }
  }
}
