import Collectives
import Foundation
import Imaging
import Tensors

/// One call of `lkdist augment`: the first patches of a run, written to be looked at.
package struct AugmentationSamples {
  private let setup: RunSetup
  private let folder: String

  /// Samples of the run that the configuration describes.
  ///
  /// - Throws: as for a run, before anything is written.
  package init(
    configuration: String, overrides: [String], output: String, world: Communicator
  ) throws {
    setup = try RunSetup(
      try Configuration.load(configuration, overrides: overrides), world: world)
    folder = output
  }

  /// Writes `count` patches as `NN_SUBJECT.nii.gz` and `NN_SUBJECT_label.nii.gz`, and all of them
  /// as `sheet.png`.
  ///
  /// - Throws: `inputOutput` for a folder with a sheet, unless it may be overwritten.
  package func write(count: Int, overwrites: Bool) throws {
    let sheetPath = folder + "/sheet.png"
    try ResultFile.check(sheetPath, overwrites: overwrites)
    try ResultFolder.make(folder)
    var plainConfiguration = setup.configuration
    plainConfiguration.augmentation.preset = .none
    plainConfiguration.augmentation.transforms = []
    let (plain, sampler) = (plainConfiguration.sampler, setup.configuration.sampler)
    var feed = PatchFeed(setup.epochPlan(0, ranks: 1), rank: 0, endEpoch: .max)
    let store = setup.store(of: setup.training)
    var sheet = AugmentationSheet(rows: count, extent: setup.configuration.patchExtent)
    for index in 0..<count {
      guard let request = feed.next() else { break }
      let subject = try store.subject(setup.training[request.subject].identifier)
      let cut = plain.sample(subject, epoch: request.epoch, position: request.position)
      let patch = sampler.sample(subject, epoch: request.epoch, position: request.position)
      try write(patch, of: subject, as: String(format: "%02d_", index + 1) + patch.subject)
      sheet.draw(row: index, plain: cut, augmented: patch)
    }
    try sheet.picture.writePNG(to: sheetPath)
  }

  /// Writes a patch where it was cut; what augmentation did to it is in its voxels alone.
  private func write(_ patch: Patch, of subject: PreparedSubject, as name: String) throws {
    let corner = [patch.corner.x, patch.corner.y, patch.corner.z]
    let geometry = subject.path.prepared.cropped(
      to: VoxelBox(lower: corner, extent: patch.image.shape.extent))
    try NIfTI.write(
      Volume(grid: patch.image, geometry: geometry), to: "\(folder)/\(name).nii.gz")
    try NIfTI.write(
      LabelMap(labels: patch.labels, geometry: geometry), to: "\(folder)/\(name)_label.nii.gz")
  }
}
