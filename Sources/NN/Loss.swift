import Kernels
import Tensors

/// A loss and the gradient of every head's logits.
package struct LossResult: Sendable {
  /// The loss, unscaled.
  package let value: Double
  /// Its gradient times the scale asked for, finest first, as `LKUNet.backward` takes it.
  package let gradients: [VoxelGrid]
}

/// What training minimizes: a sum over the heads with weights 1, 1/2, 1/4, … normalized to 1.
///
/// Soft Dice of a channel is 1 - (2 sum(p t) + 1e-5) / (sum(p) + sum(t) + 1e-5).
package enum Loss: String, Codable, CaseIterable, Sendable {
  /// Mean cross-entropy and mean soft Dice over the foreground classes, of a softmax.
  case diceCE = "dice-ce"
  /// Mean binary cross-entropy and mean soft Dice, of sigmoids: regions that may overlap.
  case diceBCE = "dice-bce"
  /// Soft Dice of a softmax, each class weighing max(0, 1 - its voxels / the others).
  case weightedDice = "weighted-dice"

  /// The loss of `logits`, finest first; `target` is of the finest one's extent.
  ///
  /// `dice-bce` takes regions, the others labels.
  package func callAsFunction(
    _ logits: [VoxelGrid], target: Target, scale: Float, on compute: Compute
  ) -> LossResult {
    precondition(!logits.isEmpty, "a loss of no logits")
    return compute.measure("loss", .forward) {
      sum(of: logits, target: target, scale: scale, on: compute)
    }
  }

  private func sum(
    of logits: [VoxelGrid], target: Target, scale: Float, on compute: Compute
  ) -> LossResult {
    var value = 0.0
    var gradients: [VoxelGrid] = []
    for (head, weight) in zip(logits, Self.supervisionWeights(logits.count)) {
      let lowered = target.strided(
        from: logits[0].shape.extent, to: head.shape.extent, on: compute)
      let (loss, gradient) = term(
        head, lowered, scale: weight * Double(scale), on: compute)
      value += weight * loss
      gradients.append(gradient)
    }
    return LossResult(value: value, gradients: gradients)
  }

  /// The heads' weights 1, 1/2, 1/4, … divided by their sum (our choice).
  package static func supervisionWeights(_ count: Int) -> [Double] {
    let weights = (0..<count).map { 1 / Double(1 << $0) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// One head's loss, and its gradient times `scale`.
  private func term(
    _ logits: VoxelGrid, _ target: Target, scale: Double, on compute: Compute
  ) -> (Double, VoxelGrid) {
    var work = VoxelGrid(uninitialized: logits.shape, from: compute.pool)
    switch (self, target) {
    case (.diceBCE, .regions(let regions, let ignored)):
      let sums = VoxelLoss.sigmoid(
        logits, regions: regions, ignored: ignored, into: &work, on: compute)
      let (value, terms) = combine(sums, scale)
      VoxelLoss.sigmoidGradient(
        &work, regions: regions, ignored: ignored, terms: terms, on: compute)
      return (value, work)
    case (.diceCE, .labels(let labels, let ignore)),
      (.weightedDice, .labels(let labels, let ignore)):
      let ignore = ignore.flatMap { Int16(exactly: $0) }
      let sums = VoxelLoss.softmax(
        logits, labels: labels, ignore: ignore, into: &work, on: compute)
      let (value, terms) = combine(sums, scale)
      VoxelLoss.softmaxGradient(
        &work, labels: labels, ignore: ignore, terms: terms, on: compute)
      return (value, work)
    default:
      preconditionFailure("\(rawValue) cannot be computed of this kind of target")
    }
  }

  /// The loss that `sums` make, and how it moves with each probability, times `scale`.
  private func combine(_ sums: VoxelSums, _ scale: Double) -> (Double, VoxelLossTerms) {
    let weights = diceWeights(sums)
    // A patch in which every voxel is ignored has no cross-entropy.
    let samples = Double(max(1, sums.voxels * (self == .diceBCE ? weights.count : 1)))
    let entropyWeight = self == .weightedDice ? 0 : 1 / samples
    var value = entropyWeight * sums.entropy
    var terms = VoxelLossTerms(entropy: Float(scale * entropyWeight), slope: [], offset: [])
    for (channel, weight) in weights.enumerated() {
      let numerator = 2 * sums.intersection[channel] + Self.epsilon
      let denominator = sums.probability[channel] + sums.target[channel] + Self.epsilon
      value += weight * (1 - numerator / denominator)
      terms.slope.append(Float(-2 * scale * weight / denominator))
      terms.offset.append(Float(scale * weight * numerator / (denominator * denominator)))
    }
    return (value, terms)
  }

  /// What each channel's soft Dice counts for.
  private func diceWeights(_ sums: VoxelSums) -> [Double] {
    let channels = sums.target.count
    switch self {
    case .diceBCE:
      return [Double](repeating: 1 / Double(channels), count: channels)
    case .diceCE:
      return (0..<channels).map { $0 == 0 ? 0 : 1 / Double(channels - 1) }
    case .weightedDice:
      return sums.target.map { own in
        let others = max(1, Double(sums.voxels) - own)
        return max(0, 1 - own / others) / Double(channels)
      }
    }
  }

  private static let epsilon = 1e-5
}
