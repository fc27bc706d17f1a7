import Foundation
import Tensors

/// Sums over the counted voxels of a patch, of which every loss is made; in double precision.
package struct VoxelSums: Sendable {
  /// Voxels that are not ignored.
  package var voxels = 0
  /// The summed cross-entropy (softmax: of voxels; sigmoid: of voxels and channels).
  package var entropy = 0.0
  /// Per channel, the sum of probability times target.
  package var intersection: [Double]
  /// Per channel, the sum of probabilities.
  package var probability: [Double]
  /// Per channel, the sum of targets.
  package var target: [Double]

  init(channels: Int) {
    intersection = [Double](repeating: 0, count: channels)
    probability = intersection
    target = intersection
  }
}

/// How a loss moves with the probability p of channel c at a voxel with target t:
/// dL/dp = `slope`[c] t + `offset`[c], and through the cross-entropy dL/dz += `entropy` (p - t).
package struct VoxelLossTerms: Sendable {
  package var entropy: Float
  package var slope: [Float]
  package var offset: [Float]

  package init(entropy: Float, slope: [Float], offset: [Float]) {
    self.entropy = entropy
    self.slope = slope
    self.offset = offset
  }
}

/// The voxel loops of the losses over planar logits: probabilities and sums in one pass, the
/// logits' gradient in a second, which replaces the probabilities.
package enum VoxelLoss {
  /// Voxels a work item handles; fixed, so that sums do not depend on the number of threads.
  static let chunk = 1 << 13

  /// Writes softmax(`logits`) over the channels into `probabilities` (0 where ignored) and sums.
  ///
  /// - Parameter labels: one of 0..<channels or `ignore` for every voxel.
  package static func softmax(
    _ logits: VoxelGrid, labels: [Int16], ignore: Int16?, into probabilities: inout VoxelGrid,
    on compute: Compute
  ) -> VoxelSums {
    check(logits, probabilities, count: labels.count)
    let output = UnsafeMutablePointer(rebased: probabilities.mutableValues())
    let input = logits.values
    return labels.withUnsafeBufferPointer { labels in
      sums(logits.shape, on: compute) { range, sums in
        let pass = SoftmaxPass(
          channels: logits.shape.channels, voxels: labels.count, labels: labels, ignore: ignore)
        pass.forward(range, input, output, sums)
      }
    }
  }

  /// Replaces softmax probabilities by the gradient of the logits.
  package static func softmaxGradient(
    _ probabilities: inout VoxelGrid, labels: [Int16], ignore: Int16?, terms: VoxelLossTerms,
    on compute: Compute
  ) {
    let channels = probabilities.shape.channels
    check(probabilities, probabilities, count: labels.count)
    let values = UnsafeMutablePointer(rebased: probabilities.mutableValues())
    labels.withUnsafeBufferPointer { labels in
      let pass = SoftmaxPass(
        channels: channels, voxels: labels.count, labels: labels, ignore: ignore)
      forChunks(of: labels.count, on: compute) { _, range in
        pass.backward(range, values, terms)
      }
    }
  }

  /// Writes sigmoid(`logits`) into `probabilities` (0 where ignored) and sums.
  ///
  /// - Parameters:
  ///   - regions: targets in [0, 1], of the logits' shape.
  ///   - ignored: true for each voxel that does not count; nil if all do.
  package static func sigmoid(
    _ logits: VoxelGrid, regions: VoxelGrid, ignored: [Bool]?,
    into probabilities: inout VoxelGrid, on compute: Compute
  ) -> VoxelSums {
    check(logits, probabilities, count: ignored?.count ?? logits.shape.extent.voxels)
    precondition(
      regions.shape == logits.shape, "regions \(regions.shape) for logits \(logits.shape)")
    let output = UnsafeMutablePointer(rebased: probabilities.mutableValues())
    return withMask(ignored) { mask in
      let pass = SigmoidPass(shape: logits.shape, targets: regions.values, ignored: mask)
      return sums(logits.shape, on: compute) { range, sums in
        pass.forward(range, logits.values, output, sums)
      }
    }
  }

  /// Replaces sigmoid probabilities by the gradient of the logits.
  package static func sigmoidGradient(
    _ probabilities: inout VoxelGrid, regions: VoxelGrid, ignored: [Bool]?,
    terms: VoxelLossTerms, on compute: Compute
  ) {
    let shape = probabilities.shape
    let values = UnsafeMutablePointer(rebased: probabilities.mutableValues())
    withMask(ignored) { mask in
      let pass = SigmoidPass(shape: shape, targets: regions.values, ignored: mask)
      forChunks(of: shape.extent.voxels, on: compute) { _, range in
        pass.backward(range, values, terms)
      }
    }
  }

  private static func withMask<Result>(
    _ mask: [Bool]?, _ body: (UnsafeBufferPointer<Bool>?) -> Result
  ) -> Result {
    guard let mask else { return body(nil) }
    return mask.withUnsafeBufferPointer { body($0) }
  }

  private static func check(_ logits: VoxelGrid, _ probabilities: VoxelGrid, count: Int) {
    precondition(
      logits.shape == probabilities.shape && logits.shape.extent.voxels == count,
      "targets of \(count) voxels for \(logits.shape) into \(probabilities.shape)")
  }

  static func forChunks(
    of count: Int, on compute: Compute, _ body: (_ index: Int, _ range: Range<Int>) -> Void
  ) {
    compute.team.forChunks(of: count, length: chunk, body)
  }

  /// Adds up each chunk's sums in the order of the chunks: voxels, entropy, then per channel
  /// intersection, probability and target.
  private static func sums(
    _ shape: Shape, on compute: Compute,
    _ body: (_ range: Range<Int>, _ sums: UnsafeMutablePointer<Double>) -> Void
  ) -> VoxelSums {
    let voxels = shape.extent.voxels
    // Two cache lines between chunks, so that threads do not share one.
    let stride = 2 + 3 * shape.channels + 16
    let count = (voxels + chunk - 1) / chunk * stride
    let partial = DoubleScratch(count: count, on: compute)
    forChunks(of: voxels, on: compute) { index, range in
      body(range, partial.pointer + index * stride)
    }
    var total = VoxelSums(channels: shape.channels)
    for start in Swift.stride(from: 0, to: count, by: stride) {
      total.voxels += Int(partial[start])
      total.entropy += partial[start + 1]
      for channel in 0..<shape.channels {
        total.intersection[channel] += partial[start + 2 + 3 * channel]
        total.probability[channel] += partial[start + 3 + 3 * channel]
        total.target[channel] += partial[start + 4 + 3 * channel]
      }
    }
    return total
  }
}

extension UnsafeMutablePointer {
  /// The start of a buffer that is not empty.
  fileprivate init(rebased buffer: UnsafeMutableBufferPointer<Pointee>) {
    guard let start = buffer.baseAddress else { preconditionFailure("an empty patch") }
    self = start
  }
}
