/// Interpolation of labels: the one that weighs most among the eight voxels around a place.
enum LabelVote {
  /// The arg-max of linearly interpolated one-hot maps; a tie goes to the smallest label.
  ///
  /// `weights` are not negative and their sum is 1.
  @inline(__always)
  static func winner(_ corners: SIMD8<Int32>, _ weights: SIMD8<Float>) -> Int16 {
    var best: (label: Int32, weight: Float) = (corners[0], -1)
    for corner in 0..<8 {
      let label = corners[corner]
      let weight = share(of: label, corners, weights)
      // More than half: none is left that weighs as much.
      if weight > 0.50001 { return Int16(truncatingIfNeeded: label) }
      // Sums of the same weights differ by rounding: a near tie is a tie.
      let isTie = abs(weight - best.weight) <= 1e-6
      if isTie ? label < best.label : weight > best.weight { best = (label, weight) }
    }
    return Int16(truncatingIfNeeded: best.label)
  }

  @inline(__always)
  private static func share(
    of label: Int32, _ corners: SIMD8<Int32>, _ weights: SIMD8<Float>
  ) -> Float {
    // Plain bit operations: comparing with a repeated value would go lane by lane.
    let difference = corners ^ SIMD8<Int32>(repeating: label)
    let isOther = (difference | (0 &- difference)) &>> 31
    let bits = unsafeBitCast(weights, to: SIMD8<Int32>.self) & ~isOther
    let kept = unsafeBitCast(bits, to: SIMD8<Float>.self)
    let four = kept.lowHalf + kept.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
}
