import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// Segments the validation subjects whole and scores them on their own grids: all on the root, or
/// dealt to the ranks.
package struct Validator {
  private let subjects: [Subject]
  private let store: SubjectStore
  private let segmenter: Segmenter
  private let classes: [ScoredClass]
  private let folder: RunFolder
  private let world: Communicator
  private let activity: Activity
  private let warn: (String) -> Void
  private let show: ((Picture, _ subject: String) -> Void)?
  /// The subjects of which pictures are shown: as many as one wants to look at after every epoch.
  private let pictured: Set<String>

  /// The part of this rank, by `distributed.validation`; `warn` hears of what a user should know, and
  /// `show` gets pictures of some of its subjects.
  package init(
    _ setup: RunSetup, model: LKUNet, world: Communicator, folder: RunFolder, activity: Activity,
    on compute: Compute, warn: @escaping (String) -> Void,
    show: ((Picture, _ subject: String) -> Void)? = nil
  ) {
    subjects = setup.validation(of: world)
    store = setup.store(of: subjects)
    segmenter = Segmenter(
      [Segmenter.Member(model: model, patch: setup.configuration.patchExtent)],
      scheme: setup.scheme, on: compute)
    classes = ScoredClass.scored(of: setup.dataset)
    self.folder = folder
    self.world = world
    self.activity = activity
    self.warn = warn
    self.show = show
    pictured = Set(subjects.prefix(show == nil ? 0 : 4).map(\.identifier))
  }

  /// The scores of every validation subject on the root, nil on the other ranks. The label maps go
  /// to the run's folder, each written by the rank that made it.
  ///
  /// Collective; a rank that is done sleeps until all are.
  /// - Throws: `ImagingError` for a bad file of this rank's, or `CommunicationError`.
  package func validate() throws -> Scores? {
    var own: [String: [Score]] = [:]
    for subject in subjects { own[subject.identifier] = try score(subject) }
    activity.begin(.barrier, "validation")
    try world.barrierPatiently()
    guard let all = try world.gathered(own) else { return nil }
    var scores = Scores(classes: classes, rule: .validation)
    for part in all {
      for (identifier, ofSubject) in part { scores.add(identifier, ofSubject) }
    }
    return scores
  }

  private func score(_ subject: Subject) throws -> [Score] {
    guard let label = subject.label else {
      throw ImagingError.missing("subject \(subject.identifier) has no label map to validate on")
    }
    activity.begin(.validation, subject.identifier)
    let prediction = try segmenter.labelMap(of: store.subject(subject.identifier))
    activity.reach("scores")
    write(prediction, of: subject)
    let reference = try NIfTI.readLabels(label)
    if pictured.contains(subject.identifier) { try draw(subject, reference, prediction) }
    return try Metrics.evaluate(
      prediction: prediction, reference: reference, classes: classes,
      subject: subject.identifier, by: .validation, ignoring: segmenter.scheme.ignoredLabel)
  }

  /// Writes a label map for the user; where there is no room for it the scores count all the same.
  private func write(_ prediction: LabelMap, of subject: Subject) {
    do throws(ImagingError) {
      try NIfTI.write(prediction, to: "\(folder.validation)/\(subject.identifier).nii.gz")
    } catch {
      warn("\(error); training goes on")
    }
  }

  private func draw(
    _ subject: Subject, _ reference: LabelMap, _ prediction: LabelMap
  ) throws(ImagingError) {
    let image = try NIfTI.readImage(subject.images[0], allowsNonFinite: true)
    guard image.geometry.extent == reference.geometry.extent else { return }
    let drawn = try ValidationPicture(image: image, reference: reference, prediction: prediction)
    show?(drawn.picture, subject.identifier)
  }
}

extension Configuration.ValidationPlace {
  /// The rank that segments a validation subject, 0..<ranks.
  func rank(ofSubject index: Int, ranks: Int) -> Int {
    switch self {
    case .root: 0
    case .all: index % ranks
    }
  }
}
