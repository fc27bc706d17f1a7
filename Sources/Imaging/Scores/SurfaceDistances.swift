import Tensors

/// The distances in mm from each surface voxel of either of two masks to the other's surface.
package struct SurfaceDistances {
  /// Squared: from the prediction's voxels, and from the reference's. Empty where a mask is.
  private var squared: [[Double]]

  /// Measures two masks that have a border of background; `spacing` is x, y, z in mm.
  ///
  /// Every source and every query lies inside, so that distances within the masks' box are exact.
  package init(_ prediction: Mask, _ reference: Mask, spacing: [Double]) {
    let surfaces = [prediction.surface(), reference.surface()]
    guard surfaces.allSatisfy({ $0.inside.contains(1) }) else {
      squared = [[], []]
      return
    }
    squared = [(0, 1), (1, 0)].map { from, to in
      let distances = DistanceTransform.squaredDistances(to: surfaces[to], spacing: spacing)
      return surfaces[from].inside.indices.filter { surfaces[from].inside[$0] != 0 }
        .map { distances[$0] }
    }
  }

  /// Whether a mask was empty, so that there is no distance.
  package var isEmpty: Bool { squared[0].isEmpty }

  /// The larger of the two directed 95th percentiles in mm; there must be distances.
  package mutating func hd95() -> Double {
    max(
      Metrics.rootPercentile(of: &squared[0], 95), Metrics.rootPercentile(of: &squared[1], 95))
  }

  /// The share of the voxels of both surfaces at most `tolerance` mm from the other surface; there
  /// must be distances.
  package func share(within tolerance: Double) -> Double {
    // Sums of squared spacings are rounded: a distance equal to the tolerance must count.
    let limit = tolerance * tolerance * (1 + 1e-9)
    let near = squared.map { $0.count { $0 <= limit } }
    return Double(near[0] + near[1]) / Double(squared[0].count + squared[1].count)
  }
}
