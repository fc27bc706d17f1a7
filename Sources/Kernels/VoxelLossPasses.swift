import Foundation
import Tensors

/// The loops over voxels with one label each.
struct SoftmaxPass {
  let channels: Int
  let voxels: Int
  let labels: UnsafeBufferPointer<Int16>
  let ignore: Int16?

  /// Probabilities of the voxels in `range`, and their sums in the layout of `VoxelLoss.sums`.
  func forward(
    _ range: Range<Int>, _ logits: UnsafeBufferPointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Double>
  ) {
    for voxel in range {
      guard let label = label(at: voxel) else {
        for channel in 0..<channels { output[channel * voxels + voxel] = 0 }
        continue
      }
      let entropy = softmax(voxel, label, logits, output)
      sums[0] += 1
      sums[1] += Double(entropy)
      for channel in 0..<channels {
        sums[3 + 3 * channel] += Double(output[channel * voxels + voxel])
      }
      sums[2 + 3 * label] += Double(output[label * voxels + voxel])
      sums[4 + 3 * label] += 1
    }
  }

  /// Writes one voxel's probabilities and returns its cross-entropy.
  @inline(__always) private func softmax(
    _ voxel: Int, _ label: Int, _ logits: UnsafeBufferPointer<Float>,
    _ output: UnsafeMutablePointer<Float>
  ) -> Float {
    var largest = -Float.infinity
    for channel in 0..<channels { largest = max(largest, logits[channel * voxels + voxel]) }
    var sum: Float = 0
    for channel in 0..<channels {
      let power = exp(logits[channel * voxels + voxel] - largest)
      output[channel * voxels + voxel] = power
      sum += power
    }
    let inverse = 1 / sum
    for channel in 0..<channels { output[channel * voxels + voxel] *= inverse }
    return log(sum) + largest - logits[label * voxels + voxel]
  }

  /// Through the softmax: dz_c = p_c (g_c - sum_j g_j p_j) + entropy (p_c - t_c).
  func backward(
    _ range: Range<Int>, _ values: UnsafeMutablePointer<Float>, _ terms: VoxelLossTerms
  ) {
    terms.offset.withUnsafeBufferPointer { offset in
      for voxel in range {
        guard let label = label(at: voxel) else { continue }
        let extra = terms.slope[label]
        var mean = extra * values[label * voxels + voxel]
        for channel in 0..<channels { mean += offset[channel] * values[channel * voxels + voxel] }
        let ownProbability = values[label * voxels + voxel]
        for channel in 0..<channels {
          let p = values[channel * voxels + voxel]
          values[channel * voxels + voxel] = p * (offset[channel] - mean + terms.entropy)
        }
        values[label * voxels + voxel] += ownProbability * extra - terms.entropy
      }
    }
  }

  @inline(__always) private func label(at voxel: Int) -> Int? {
    let label = labels[voxel]
    if label == ignore { return nil }
    precondition(
      label >= 0 && label < channels, "label \(label) for a model of \(channels) outputs")
    return Int(label)
  }
}

/// The loops over voxels whose channels are regions that may overlap.
struct SigmoidPass {
  let shape: Shape
  let targets: UnsafeBufferPointer<Float>
  /// True for each voxel that does not count; nil if all do.
  let ignored: UnsafeBufferPointer<Bool>?

  /// Probabilities of the voxels in `range`, and their sums in the layout of `VoxelLoss.sums`.
  func forward(
    _ range: Range<Int>, _ logits: UnsafeBufferPointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Double>
  ) {
    sums[0] = Double(range.count(where: counts))
    for channel in 0..<shape.channels {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.run) {
        let voxels = start..<min(start + Self.run, range.upperBound)
        forward(channel, voxels, logits, output, sums)
      }
    }
  }

  // Voxels whose 1 + exp(-|z|), each at most 2, are multiplied before one logarithm is taken.
  private static let run = 512

  @inline(__always) private func forward(
    _ channel: Int, _ range: Range<Int>, _ logits: UnsafeBufferPointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Double>
  ) {
    let start = channel * shape.extent.voxels
    var (entropy, product) = (0.0, 1.0)
    var (intersection, probability, target) = (0.0, 0.0, 0.0)
    for voxel in range {
      guard counts(voxel) else {
        output[start + voxel] = 0
        continue
      }
      let (z, t) = (logits[start + voxel], targets[start + voxel])
      let power = exp(-abs(z))
      let p = (z < 0 ? power : 1) / (1 + power)
      output[start + voxel] = p
      product *= Double(1 + power)
      entropy += Double(max(z, 0) - z * t)
      intersection += Double(p * t)
      probability += Double(p)
      target += Double(t)
    }
    sums[1] += entropy + log(product)
    sums[2 + 3 * channel] += intersection
    sums[3 + 3 * channel] += probability
    sums[4 + 3 * channel] += target
  }

  /// Through the sigmoid: dz = p (1 - p) (slope t + offset) + entropy (p - t).
  func backward(
    _ range: Range<Int>, _ values: UnsafeMutablePointer<Float>, _ terms: VoxelLossTerms
  ) {
    for channel in 0..<shape.channels {
      let start = channel * shape.extent.voxels
      let (slope, offset, entropy) = (terms.slope[channel], terms.offset[channel], terms.entropy)
      for voxel in range where counts(voxel) {
        let (p, t) = (values[start + voxel], targets[start + voxel])
        values[start + voxel] = p * (1 - p) * (slope * t + offset) + entropy * (p - t)
      }
    }
  }

  @inline(__always) private func counts(_ voxel: Int) -> Bool {
    guard let ignored else { return true }
    return !ignored[voxel]
  }
}
