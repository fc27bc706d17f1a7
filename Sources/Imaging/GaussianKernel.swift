import Foundation

/// Sampled Gaussians.
enum GaussianKernel {
  /// Symmetric weights of sum 1 for a Gaussian of `sigma` voxels, cut at 4 sigma as SciPy's.
  static func weights(sigma: Double) -> [Double] {
    guard sigma > 0 else { return [1] }
    let radius = Int(4 * sigma + 0.5)
    let values = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
    let sum = values.reduce(0, +)
    return values.map { $0 / sum }
  }
}
