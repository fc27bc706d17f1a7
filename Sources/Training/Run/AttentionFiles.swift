import Files
import Imaging
import Kernels

/// The files that show a subject's attention: a map of each channel as NIfTI, and of each module's mean
/// a picture, in the folder `attention` beside the label map.
struct AttentionFiles {
  private let channels: [AttentionChannel]
  private let labelMap: String

  /// - Parameter labelMap: the file of the label map, which names the others.
  init(_ channels: [AttentionChannel], beside labelMap: String) {
    (self.channels, self.labelMap) = (channels, labelMap)
  }

  /// Their folder: scoring that of the label map does not take them for label maps.
  var folder: String { Paths.folder(of: labelMap) + "/attention" }

  /// All files, NIfTI and pictures.
  var paths: [String] {
    channels.flatMap { channel in
      ([".nii.gz"] + (Self.isDrawn(channel) ? [".png"] : [])).map { path(channel) + $0 }
    }
  }

  private static func isDrawn(_ channel: AttentionChannel) -> Bool { channel.readout == .attention }

  /// The path of a map or its picture without the ending.
  private func path(_ channel: AttentionChannel) -> String {
    "\(folder)/\(NIfTIFiles.stem(of: labelMap))_\(channel.name)"
  }

  /// Writes the maps of all channels, and pictures through most of the label map.
  ///
  /// - Parameter wrote: is told each file that is whole.
  /// - Throws: `ImagingError` or `TrainingError` naming the file.
  func write(
    _ maps: OwnGridVolume, of subject: Subject, labels: LabelMap, wrote: (String) -> Void
  ) throws {
    let overlay = try AttentionOverlay(of: subject, labels: labels)
    for (index, channel) in channels.enumerated() {
      let (map, picture) = (path(channel) + ".nii.gz", path(channel) + ".png")
      try maps.write(index, to: map)
      wrote(map)
      guard Self.isDrawn(channel) else { continue }
      try overlay.picture(of: maps.volume(index)).writePNG(to: picture)
      wrote(picture)
    }
  }
}
