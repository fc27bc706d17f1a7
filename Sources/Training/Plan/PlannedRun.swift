import Collectives
import Imaging
import NN
import Tensors

/// What a run is, as its configuration and the headers of its data set's files say.
struct PlannedRun: Sendable {
  private let setup: RunSetup
  private(set) var extent: Extent
  /// At most as large as this when prepared, for the margin that is cut off is not known.
  let trainingExtents: [Extent]
  let validationExtents: [Extent]

  /// Reads the headers of the subjects' first images.
  ///
  /// - Throws: `ImagingError` naming the file.
  init(_ setup: RunSetup) throws {
    self.setup = setup
    extent = setup.configuration.patchExtent
    trainingExtents = try setup.training.map { try setup.preparation.extent(of: $0) }
    validationExtents = try setup.validation.map { try setup.preparation.extent(of: $0) }
  }

  var configuration: Configuration { setup.configuration }
  var model: ModelConfiguration { setup.model }
  var loss: NN.Loss { configuration.criterion }

  /// The bytes of prepared volumes on each node.
  var cacheBytes: Int {
    guard configuration.data.cache == .disk else { return 0 }
    let voxels = (trainingExtents + validationExtents).reduce(0) { $0 + $1.voxels }
    return voxels * (4 * model.inputs + 2)
  }

  /// The bytes of patches at hand: the one trained on with its target, two ready ones and the one being
  /// made, twice while it is augmented.
  var patchBytes: Int {
    let patch = 4 * model.inputs + 2
    let target = loss == .diceBCE ? 4 * model.outputs : 2
    return extent.voxels * (5 * patch + target)
  }

  /// Bytes of the files `last` (with Adam's moments) and `best`.
  var checkpointBytes: (last: Int, best: Int) {
    (12 * model.parameterCount, 4 * model.parameterCount)
  }

  /// Windows of one validation, each segmented once.
  var validationWindows: Int {
    validationExtents.reduce(0) {
      $0 + SlidingWindow.windows(extent: $1, patch: extent, overlap: 0.5).count
    }
  }

  /// Steps of one epoch.
  func stepsPerEpoch(ranks: Int) -> Int { setup.epochPlan(0, ranks: ranks).steps }

  /// Validations of the whole run.
  var validations: Int {
    let settings = configuration.training
    guard !validationExtents.isEmpty else { return 0 }
    return (settings.epochs + settings.validateEvery - 1) / settings.validateEvery
  }

  /// The same run with another patch.
  func with(patch: Extent) -> PlannedRun {
    var run = self
    run.extent = patch
    return run
  }
}
