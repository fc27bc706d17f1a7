import Imaging
import NN
import Tensors

/// A patch that a step was skipped for, and where its numbers stop being finite.
package struct BadPatch {
  /// Where the first number that is not finite is found.
  package enum Place: CustomStringConvertible {
    case image
    case weights(String)
    case forward(String)
    case loss
    case backward(String)

    package var description: String {
      switch self {
      case .image: "the image itself"
      case .weights(let name): "the weights, in \(name)"
      case .forward(let part): "the forward pass, in \(part)"
      case .loss: "the loss"
      case .backward(let layer): "the backward pass, in \(layer)"
      }
    }
  }

  let patch: Patch
  let place: Place

  /// What the log says of it.
  var description: String { "\(patch.origin): not finite in \(place)" }

  /// Writes the image and labels as the network saw them beside each other into `folder`.
  ///
  /// - Parameter spacing: of the prepared volume, x, y, z in mm.
  /// - Returns: the image's path.
  /// - Throws: `inputOutput` naming the file.
  func write(to folder: String, name: String, spacing: [Double]) throws(ImagingError) -> String {
    // Mirroring may have turned the patch, so it is left without a place in space.
    let geometry = Geometry(
      extent: patch.image.shape.extent, affine: Affine(spacing: spacing), isPlaced: false)
    let image = "\(folder)/\(name)-image.nii.gz"
    try NIfTI.write(Volume(grid: patch.image, geometry: geometry), to: image)
    try NIfTI.write(
      LabelMap(labels: patch.labels, geometry: geometry), to: "\(folder)/\(name)-labels.nii.gz")
    return image
  }
}

extension Patch {
  /// Where it comes from, as the log says it.
  var origin: String {
    "subject \(subject), patch \(position) of epoch \(epoch + 1) from "
      + "voxel \(corner.x), \(corner.y), \(corner.z) (x, y, z of the prepared volume)"
  }
}

extension Trainer {
  /// Runs one patch alone, with the weights as they are, and finds the first place that is not
  /// finite; nil if all is. Overwrites the gradients.
  package func firstBadPlace(of patch: Patch, scale: Float) -> BadPatch.Place? {
    if !patch.image.isFinite { return .image }
    let parameters = model.parameters
    if let bad = parameters.parameters.first(where: { !parameters.values(of: $0).isFinite }) {
      return .weights(bad.name)
    }
    let (logits, badPart) = forwardLookingForBadPart(patch.image)
    if let badPart { return .forward(badPart) }
    let result = setup.configuration.criterion(
      logits, target: setup.scheme.target(of: patch), scale: scale, on: compute)
    return result.value.isFinite ? firstBadLayer(result.gradients) : .loss
  }

  private func forwardLookingForBadPart(_ image: VoxelGrid) -> ([VoxelGrid], String?) {
    let before = model.inspect
    defer { model.inspect = before }
    var badPart: String?
    model.inspect = { part, output in
      before?(part, output)
      if badPart == nil && !output.isFinite { badPart = part }
    }
    let logits = model.forward(image)
    return (logits, badPart ?? logits.firstIndex { !$0.isFinite }.map { "head.\($0)" })
  }

  /// The layer that backward is the first to give a gradient that is not finite.
  private func firstBadLayer(_ gradients: [VoxelGrid]) -> BadPatch.Place? {
    let parameters = model.parameters
    parameters.zeroGradients()
    model.backward(gradients) { _ in }
    // Backward goes through the flat block from its end.
    return parameters.parameters.last { !parameters.gradient(of: $0).isFinite }
      .map { .backward($0.name) }
  }
}
