import Tensors

/// How well a mask or a label map agrees with its reference.
package enum Metrics {
  /// All measures of two masks of one grid.
  ///
  /// - Parameters:
  ///   - spacing: x, y, z in mm.
  ///   - tolerance: of NSD in mm.
  package static func score(
    _ prediction: Mask, _ reference: Mask, spacing: [Double], by rule: ScoringRule = ScoringRule(),
    tolerance: Double = 1
  ) -> Score {
    // Nothing of either mask lies outside their joint box.
    guard let box = prediction.box(with: reference) else { return scoreOfNothing(by: rule) }
    let (x, y) = (prediction.bordered(box), reference.bordered(box))
    var score = Score(dice: dice(x, y))
    score.volumeDifference = Double(x.count - y.count) * spacing.reduce(1e-3, *)
    if rule.comparesLesions {
      let lesions = LesionScores(x, y)
      (score.lesionDice, score.lesionF1) = (lesions.dice, lesions.f1)
    }
    var distances = SurfaceDistances(x, y, spacing: spacing)
    if distances.isEmpty {
      let diagonal = diagonal(of: prediction.extent, spacing: spacing)
      (score.hd95, score.nsd) = (rule.missingDistance(diagonal: diagonal), 0)
    } else {
      (score.hd95, score.nsd) = (distances.hd95(), distances.share(within: tolerance))
    }
    return score
  }

  /// The score of two empty masks.
  private static func scoreOfNothing(by rule: ScoringRule) -> Score {
    var score = Score(dice: 1, hd95: 0, nsd: 1)
    score.volumeDifference = 0
    if rule.comparesLesions { (score.lesionDice, score.lesionF1) = (1, 1) }
    return score
  }

  /// The overlap 2|X and Y| / (|X| + |Y|) of two masks, of which one is not empty.
  private static func dice(_ prediction: Mask, _ reference: Mask) -> Double {
    var common = 0
    for i in prediction.inside.indices {
      common &+= Int(prediction.inside[i] & reference.inside[i])
    }
    return 2 * Double(common) / Double(prediction.count + reference.count)
  }

  /// The score of each class of a predicted label map, in the order of `classes`.
  ///
  /// - Parameter ignored: where the reference has this label, the prediction counts as background.
  /// - Throws: `badData` when the two maps lie on different grids; `subject` is named.
  package static func evaluate(
    prediction: LabelMap, reference: LabelMap, classes: [ScoredClass], subject: String,
    by rule: ScoringRule = ScoringRule(), ignoring ignored: Int? = nil
  ) throws(ImagingError) -> [Score] {
    // Header precision differs between writers; a hundredth of a voxel cannot change a voxel.
    guard prediction.geometry.matches(reference.geometry) else {
      throw .badData(
        "\(subject): the prediction and the reference lie on different grids: "
          + "\(prediction.geometry.difference(from: reference.geometry)); "
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
        Mask(of: $0.values, in: prediction), Mask(of: $0.values, in: reference), spacing: spacing,
        by: rule, tolerance: rule.tolerance(of: $0))
    }
  }

  private static func diagonal(of extent: Extent, spacing: [Double]) -> Double {
    zip(extent.xyz, spacing).reduce(0) { sum, axis in
      let length = Double(axis.0) * axis.1
      return sum + length * length
    }.squareRoot()
  }
}
