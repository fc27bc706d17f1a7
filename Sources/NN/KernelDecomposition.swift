/// What a large kernel costs, whole and decomposed (the paper's Table 1).
package enum KernelDecomposition {
  /// Parameters of a whole K^3 convolution of C to C channels: N_O = C (C K^3 + 1).
  package static func originalCount(channels: Int, kernelSize: Int) -> Int {
    channels * (channels * cube(kernelSize) + 1)
  }

  /// Parameters of the decomposition into a dilated depthwise ceil(K/d)^3, a local depthwise
  /// (2d-1)^3 and a pointwise convolution: N_D = C ((2d-1)^3 + ceil(K/d)^3 + C + 3).
  package static func decomposedCount(channels: Int, kernelSize: Int, dilation: Int) -> Int {
    let placement = AttentionPlacement(scale: 0, kernelSize: kernelSize, dilation: dilation)
    return channels * (cube(placement.localSize) + cube(placement.dilatedSize) + channels + 3)
  }

  /// The real dilation of least N_D: the root of 24 d^2 - 24 d - 3 K^3 / d^4 + 6 = 0, by bisection.
  ///
  /// It does not depend on the number of channels. At K = 21 it is 3.4159.
  package static func bestRealDilation(kernelSize: Int) -> Double {
    let volume = Double(cube(kernelSize))
    // The left side rises with d from d = 1/2 on, and is positive at d = K + 1.
    var (low, high) = (0.5, Double(kernelSize + 1))
    for _ in 0..<200 {
      let d = (low + high) / 2
      let slope = 24 * d * d - 24 * d - 3 * volume / (d * d * d * d) + 6
      if slope < 0 { low = d } else { high = d }
    }
    return (low + high) / 2
  }

  /// The dilation of least N_D among the integers 1...K, the smaller one of a tie.
  package static func bestDilation(channels: Int, kernelSize: Int) -> Int {
    let counts = (1...kernelSize).map { dilation in
      (decomposedCount(channels: channels, kernelSize: kernelSize, dilation: dilation), dilation)
    }
    return counts.min { $0 < $1 }?.1 ?? 1
  }

  private static func cube(_ edge: Int) -> Int { edge * edge * edge }
}
