import Foundation
import Tensors

/// Turns logits into probabilities in place.
package enum Activation {
  /// The logistic function of every value.
  package static func sigmoid(_ logits: inout VoxelGrid, on compute: Compute) {
    let values = logits.mutableValues()
    forEachRun(of: values.count, on: compute) { run in
      for index in run { values[index] = 1 / (1 + exp(-values[index])) }
    }
  }

  /// The softmax over the channels of every voxel.
  package static func softmax(_ logits: inout VoxelGrid, on compute: Compute) {
    let voxels = logits.shape.extent.voxels
    let channels = logits.shape.channels
    let values = logits.mutableValues()
    forEachRun(of: voxels, on: compute) { run in
      for voxel in run { softmax(values, at: voxel, stride: voxels, channels: channels) }
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

  private static func forEachRun(of count: Int, on compute: Compute, _ body: (Range<Int>) -> Void) {
    let length = 16_384
    compute.team.parallelFor((count + length - 1) / length) { run, _ in
      body(run * length..<min(count, (run + 1) * length))
    }
  }
}
