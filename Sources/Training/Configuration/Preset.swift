import Imaging

/// The article's recipes, for `lkdist init --preset`.
package enum Preset: String, CaseIterable, Sendable {
  case brats2020
  case ctOrg = "ct-org"

  /// The name of the folder that the data set is unpacked to.
  package var folder: String {
    switch self {
    case .brats2020: "MICCAI_BraTS2020_TrainingData"
    case .ctOrg: "CT-ORG"
    }
  }

  /// The recipe: 200 epochs of all training subjects, Adam at 3e-4, batch size 1 a rank.
  var configuration: Configuration {
    var result = Configuration()
    result.name = rawValue
    result.data.fold = .all
    result.optimizer.learningRate = 3e-4
    result.training.epochs = 200
    result.augmentation.preset = .default
    switch self {
    case .brats2020:
      result.data.layout = .brats2020
      result.data.spacing = [1, 1, 1]
      result.data.patchSize = [160, 192, 128]
      result.data.normalization = .all(.zscore)
      result.loss.kind = .diceBCE
    case .ctOrg:
      result.data.layout = .ctOrg
      result.data.spacing = [3, 3, 3]
      result.data.patchSize = [128, 128, 256]
      result.data.normalization = .all(.ct)
      result.loss.kind = .weightedDice
    }
    return result
  }

  /// What a user should know of the recipe.
  var notes: [String] {
    let common = [
      "Batch size 1: one patch a rank and step. What the article leaves open has lkdist's default:",
      "the augmentation list, Adam's betas, the schedule, intensity normalization.",
      "fold: all trains on every training subject; fold: 0 holds out a fifth to watch.",
    ]
    switch self {
    case .brats2020:
      return [
        "The article's recipe for BraTS 2020: 369 training cases; the 125 of the validation archive",
        "are segmented with 'lkdist predict -i MICCAI_BraTS2020_ValidationData'. Channels are T1,",
        "T1ce, T2, FLAIR; outputs the regions ET, TC, WT of labels 4, 1, 2.",
      ] + common
    case .ctOrg:
      return [
        "The article's recipe for CT-ORG: cases 21 to 139 train, 0 to 20 are the test part that",
        "'lkdist predict -i CT-ORG' segments. The brain is trained but not scored: evaluate with",
        "--exclude brain.",
      ] + common
    }
  }
}
