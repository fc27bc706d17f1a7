import Collectives
import Imaging
import NN
import Tensors

/// Segments the validation subjects whole and scores them on their own grids.
struct Validator {
  private let subjects: [Subject]
  private let store: SubjectStore
  private let segmenter: Segmenter
  private let classes: [ScoredClass]
  private let folder: RunFolder
  private let activity: Activity

  init(
    _ setup: RunSetup, model: LKUNet, folder: RunFolder, activity: Activity, on compute: Compute
  ) {
    subjects = setup.validation
    store = setup.store(of: setup.validation)
    segmenter = Segmenter(
      model: model, scheme: setup.scheme, patch: setup.configuration.patchExtent, on: compute)
    classes = ScoredClass.scored(of: setup.dataset)
    self.folder = folder
    self.activity = activity
  }

  /// The scores of every validation subject; their label maps go to the run's folder.
  func validate() throws(ImagingError) -> Scores {
    var scores = Scores(classes: classes)
    for subject in subjects {
      guard let label = subject.label else { continue }
      activity.begin(.validation, subject.identifier)
      let prediction = segmenter.labelMap(of: try store.subject(subject.identifier))
      try NIfTI.write(prediction, to: "\(folder.validation)/\(subject.identifier).nii.gz")
      let reference = try NIfTI.readLabels(label)
      scores.add(
        subject.identifier,
        try Metrics.evaluate(
          prediction: prediction, reference: reference, classes: classes,
          subject: subject.identifier, ignoring: segmenter.scheme.ignoredLabel))
    }
    return scores
  }
}
