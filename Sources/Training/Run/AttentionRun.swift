import Files
import Foundation
import Imaging
import Kernels
import NN
import Tensors

/// The part of a prediction that shows attention: maps of every large-kernel module as NIfTI files
/// and pictures, in the folder `attention` beside the label maps.
package struct AttentionRun {
  private let models: [TrainedModel]
  private let overlap: Double
  private let readouts: [AttentionReadout]
  private let compute: Compute

  /// Loads checkpoints, whose maps will be averaged.
  ///
  /// - Parameter channels: those shown on their own besides the mean of all, from 0.
  /// - Throws: `configuration` for a network without the attention or the channels;
  ///   `TrainingError` naming a checkpoint that is missing, damaged or does not fit.
  package init(
    checkpoints: [String], channels: [Int], overlap: Double, on compute: Compute
  ) throws(TrainingError) {
    var models: [TrainedModel] = []
    for path in checkpoints {
      let trained = try TrainedModel(path, on: compute)
      let model = trained.model.configuration
      guard !model.attention.isEmpty else {
        throw .configuration(
          "\(path) has no large-kernel attention to show; leave --save-attention out")
      }
      let most = model.attention.map { model.channels(atScale: $0.scale) }.max() ?? 0
      if let channel = channels.first(where: { $0 >= most }) {
        throw .configuration(
          "--attention-channels \(channel): the attention of \(path) has channels 0 to \(most - 1)")
      }
      models.append(trained)
    }
    self.models = models
    self.overlap = overlap
    self.compute = compute
    readouts = [.attention] + channels.map { .channel($0) }
  }

  /// Writes the maps of a subject, and for each module a picture through most of its label map.
  ///
  /// - Parameter output: the file of the label map, which names those of the maps.
  /// - Throws: `ImagingError` or `TrainingError` naming the file.
  package func write(of subject: Subject, labels: LabelMap, beside output: String) throws {
    try ResultFolder.make(Self.folder(beside: output))
    let maps = try maps(of: subject)
    let overlay = try AttentionOverlay(of: subject, labels: labels)
    for map in maps {
      let path = Self.path(map.name, beside: output)
      try NIfTI.write(map.volume, to: path + ".nii.gz")
      if map.readout == .attention { try overlay.picture(of: map).writePNG(to: path + ".png") }
    }
  }

  /// The files that `write` makes beside a label map.
  package func outputs(beside output: String) -> [String] {
    let names = models.flatMap { trained in
      trained.model.configuration.attention.flatMap { module in
        readouts.map { AttentionMap.name(scale: module.scale, $0) }
      }
    }
    return Set(names).sorted().flatMap { name in
      [".nii.gz", ".png"].map { Self.path(name, beside: output) + $0 }
    }
  }

  /// The folder of maps beside a label map: scoring that folder does not take them for label maps.
  private static func folder(beside output: String) -> String {
    Paths.folder(of: output) + "/attention"
  }

  /// The path of a map or its picture without the ending.
  private static func path(_ name: String, beside output: String) -> String {
    "\(folder(beside: output))/\(NIfTIFiles.stem(of: output))_\(name)"
  }

  /// The maps of a subject on its own grid, averaged over the checkpoints that have them.
  private func maps(of subject: Subject) throws -> [AttentionMap] {
    var sums: [(map: AttentionMap, count: Int)] = []
    for trained in models {
      let prepared = try Preparation.prepare(
        subject, dataset: trained.dataset, settings: trained.preparation)
      let mapper = AttentionMapper(
        model: trained.model, patch: trained.patch, overlap: overlap, readouts: readouts,
        on: compute)
      for map in mapper.maps(of: prepared) {
        if let index = sums.firstIndex(where: { $0.map.name == map.name }) {
          sums[index].map.add(map)
          sums[index].count += 1
        } else {
          sums.append((map, 1))
        }
      }
    }
    return sums.map { $0.map.scaled(by: 1 / Float($0.count)) }
  }
}

extension AttentionMap {
  /// Its name within a file's.
  var name: String { Self.name(scale: scale, readout) }

  static func name(scale: Int, _ readout: AttentionReadout) -> String {
    if case .channel(let channel) = readout { return "scale\(scale)_channel\(channel)" }
    return "scale\(scale)"
  }

  fileprivate mutating func add(_ other: AttentionMap) {
    let (sums, addends) = (volume.grid.mutableValues(), other.volume.grid.values)
    for index in sums.indices { sums[index] += addends[index] }
  }

  fileprivate func scaled(by factor: Float) -> AttentionMap {
    guard factor != 1 else { return self }
    var result = self
    let values = result.volume.grid.mutableValues()
    for index in values.indices { values[index] *= factor }
    return result
  }
}
