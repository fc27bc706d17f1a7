/// Interpolation of labels: the one that weighs most among the eight voxels around a place.
enum LabelVote {
  /// The arg-max of linearly interpolated one-hot maps; a tie goes to the smallest label.
  @inline(__always)
  static func winner(_ corners: SIMD8<Int32>, _ weights: SIMD8<Float>) -> Int16 {
    if corners == SIMD8(repeating: corners[0]) { return Int16(corners[0]) }
    var best: (label: Int32, weight: Float) = (corners[0], -1)
    for corner in 0..<8 {
      let label = corners[corner]
      let isSame = corners .== SIMD8(repeating: label)
      let weight = SIMD8<Float>.zero.replacing(with: weights, where: isSame).sum()
      // Sums of the same weights differ by rounding: a near tie is a tie.
      let isTie = abs(weight - best.weight) <= 1e-6
      if isTie ? label < best.label : weight > best.weight { best = (label, weight) }
    }
    return Int16(best.label)
  }
}
