import Foundation
import Tensors

/// Where the windows of a whole-volume prediction lie and how much each voxel of one counts; the
/// rules are MONAI's `sliding_window_inference`, mode gaussian.
package enum SlidingWindow {
  /// The first voxel of every window, ascending with z slowest; negative along axes where the volume
  /// is smaller than the patch and is padded on both sides, by the smaller half first.
  ///
  /// - Parameters:
  ///   - overlap: in 0..<1; the interval is int(patch (1 - overlap)), at least 1.
  ///   - axes: those along which the windows of the mirrored volume are wanted, on this one.
  package static func windows(
    extent: Extent, patch: Extent, overlap: Double, mirroredAlong axes: Set<Axis> = []
  ) -> [VoxelIndex] {
    precondition((0..<1).contains(overlap), "overlap \(overlap) is not in 0..<1")
    let xs = starts(extent.width, patch.width, overlap, isMirrored: axes.contains(.x))
    let ys = starts(extent.height, patch.height, overlap, isMirrored: axes.contains(.y))
    let zs = starts(extent.depth, patch.depth, overlap, isMirrored: axes.contains(.z))
    return zs.flatMap { z in
      ys.flatMap { y in xs.map { x in VoxelIndex(z: z, y: y, x: x) } }
    }
  }

  /// The weight of each voxel of a window, `[z][y][x]`: exp(-x^2 / 2 sigma^2) along each axis from
  /// the center (p - 1) / 2, sigma = 0.125 p, floored at max(smallest, 1e-3).
  package static func importance(_ patch: Extent) -> [Float] {
    let (zs, ys, xs) = (bell(patch.depth), bell(patch.height), bell(patch.width))
    var weights: [Float] = []
    weights.reserveCapacity(patch.voxels)
    for z in zs {
      for y in ys { weights.append(contentsOf: xs.map { z * y * $0 }) }
    }
    let floor = max(weights.min() ?? 0, 1e-3)
    return weights.map { max($0, floor) }
  }

  private static func starts(
    _ volume: Int, _ patch: Int, _ overlap: Double, isMirrored: Bool
  ) -> [Int] {
    let starts: [Int]
    if volume > patch {
      let interval = max(1, Int(Double(patch) * (1 - overlap)))
      let last = (volume - patch + interval - 1) / interval
      starts = (0...last).map { min($0 * interval, volume - patch) }
    } else {
      starts = [PatchWindow.clamped(0, size: patch, volume: volume)]
    }
    return isMirrored ? starts.reversed().map { volume - patch - $0 } : starts
  }

  private static func bell(_ size: Int) -> [Float] {
    let sigma = 0.125 * Double(size)
    return (0..<size).map { index in
      let x = Float(Double(index) - Double(size - 1) / 2)
      return exp(x * x / Float(-2 * sigma * sigma))
    }
  }
}
