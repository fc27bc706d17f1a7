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
  private let warn: (String) -> Void

  init(
    _ setup: RunSetup, model: LKUNet, folder: RunFolder, activity: Activity, on compute: Compute,
    warn: @escaping (String) -> Void
  ) {
    subjects = setup.validation
    store = setup.store(of: setup.validation)
    segmenter = Segmenter(
      model: model, scheme: setup.scheme, patch: setup.configuration.patchExtent, on: compute)
    classes = ScoredClass.scored(of: setup.dataset)
    self.folder = folder
    self.activity = activity
    self.warn = warn
  }

  /// The scores of every validation subject; their label maps go to the run's folder.
  func validate() throws(ImagingError) -> Scores {
    var scores = Scores(classes: classes)
    for subject in subjects {
      guard let label = subject.label else { continue }
      activity.begin(.validation, subject.identifier)
      let prediction = segmenter.labelMap(of: try store.subject(subject.identifier))
      write(prediction, of: subject)
      let reference = try NIfTI.readLabels(label)
      scores.add(
        subject.identifier,
        try Metrics.evaluate(
          prediction: prediction, reference: reference, classes: classes,
          subject: subject.identifier, ignoring: segmenter.scheme.ignoredLabel))
    }
    return scores
  }

  /// Writes a label map for the user; where there is no room for it the scores count all the same.
  private func write(_ prediction: LabelMap, of subject: Subject) {
    do throws(ImagingError) {
      try NIfTI.write(prediction, to: "\(folder.validation)/\(subject.identifier).nii.gz")
    } catch {
      warn("\(error); training goes on")
    }
  }
}
