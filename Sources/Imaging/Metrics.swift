import Tensors

/// How well a mask or a label map agrees with its reference.
package enum Metrics {
  /// The definitions in words, printed with every table.
  package static let rule = """
    Dice 2|X and Y| / (|X| + |Y|). HD95 in mm: the larger of the two directed 95th percentiles \
    (linear interpolation) of distances between surface voxel centers; surface = mask voxels with \
    a 6-neighbor outside the mask, outside the image counts as background. Both empty: Dice 1, \
    HD95 0. One empty: Dice 0, HD95 = the image's diagonal sqrt(sum (n spacing)^2). On the \
    subject's own grid; mean = over foreground classes of the mean over subjects.
    """

  /// The overlap 2|X and Y| / (|X| + |Y|) of two masks of one grid; 1 if both are empty.
  package static func dice(_ prediction: Mask, _ reference: Mask) -> Double {
    precondition(
      prediction.extent == reference.extent, "masks of \(prediction.extent), \(reference.extent)")
    let total = prediction.count + reference.count
    var common = 0
    for i in prediction.inside.indices {
      common &+= Int(prediction.inside[i] & reference.inside[i])
    }
    return total == 0 ? 1 : 2 * Double(common) / Double(total)
  }

  /// The larger of the two directed 95th percentiles of surface distances in mm; 0 if both masks
  /// are empty, the image's diagonal if one is. `spacing` is x, y, z in mm.
  package static func hd95(_ prediction: Mask, _ reference: Mask, spacing: [Double]) -> Double {
    // Every source and every query lies in the joint box, so distances within it are exact.
    guard let box = prediction.box(with: reference) else { return 0 }
    let surfaces = [prediction, reference].map { $0.bordered(box).surface() }
    guard surfaces.allSatisfy({ $0.inside.contains(1) }) else {
      return diagonal(of: prediction.extent, spacing: spacing)
    }
    return max(
      directed95(from: surfaces[0], to: surfaces[1], spacing: spacing),
      directed95(from: surfaces[1], to: surfaces[0], spacing: spacing))
  }

  /// Both measures of one pair of masks.
  package static func score(_ prediction: Mask, _ reference: Mask, spacing: [Double]) -> Score {
    Score(
      dice: dice(prediction, reference), hd95: hd95(prediction, reference, spacing: spacing))
  }

  /// The score of each class of a predicted label map, in the order of `classes`.
  ///
  /// - Parameter ignored: where the reference has this label, the prediction counts as background.
  /// - Throws: `badData` when the two maps lie on different grids; `subject` is named.
  package static func evaluate(
    prediction: LabelMap, reference: LabelMap, classes: [ScoredClass], subject: String,
    ignoring ignored: Int? = nil
  ) throws(ImagingError) -> [Score] {
    // Header precision differs between writers; a hundredth of a voxel cannot change a voxel.
    guard prediction.geometry.matches(reference.geometry) else {
      throw .badData(
        "\(subject): the prediction (\(prediction.geometry.extent) voxels) and the reference "
          + "(\(reference.geometry.extent) voxels) lie on different grids; "
          + "resample the prediction onto the reference's grid")
    }
    var prediction = prediction
    if let ignored {
      for (index, label) in reference.labels.enumerated() where Int(label) == ignored {
        prediction.labels[index] = 0
      }
    }
    let spacing = reference.geometry.spacing
    return classes.map {
      score(
        Mask(of: $0.values, in: prediction), Mask(of: $0.values, in: reference), spacing: spacing)
    }
  }

  private static func directed95(from: Mask, to: Mask, spacing: [Double]) -> Double {
    let squared = DistanceTransform.squaredDistances(to: to, spacing: spacing)
    var distances: [Double] = []
    for i in from.inside.indices where from.inside[i] != 0 { distances.append(squared[i]) }
    return rootPercentile(of: &distances, 95)
  }

  private static func diagonal(of extent: Extent, spacing: [Double]) -> Double {
    zip(extent.xyz, spacing).reduce(0) { sum, axis in
      let length = Double(axis.0) * axis.1
      return sum + length * length
    }.squareRoot()
  }
}
