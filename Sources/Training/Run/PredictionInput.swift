import Imaging
import Tensors

/// What the headers of a subject's images say before they are read.
struct PredictionInput {
  private let subject: Subject
  private let channels: Int

  /// - Parameter channels: those that the networks take.
  init(_ subject: Subject, channels: Int) {
    self.subject = subject
    self.channels = channels
  }

  /// Refuses images that do not fit, and says what is odd about those that do.
  ///
  /// - Throws: `badData` for another number of channels, `configuration` for images that alone take
  ///   more than a limit that was asked for, what `NIfTI` throws.
  func check(
    _ settings: PreparationSettings, memory: MemoryLimit, note: (String) -> Void
  ) throws {
    var found: [(path: String, geometry: Geometry, channels: Int)] = []
    for path in subject.images {
      let header = try NIfTI.readGeometry(path)
      found.append((path, header.geometry, header.channels))
    }
    let count = found.reduce(0) { $0 + $1.channels }
    guard count == channels else {
      throw ImagingError.badData(
        "\(subject.images.joined(separator: ", ")): \(Self.count(count)), but the checkpoint was "
          + "trained with \(channels); give them in the order of training, by -i again and again, "
          + "as CASE_0000, CASE_0001, ... in a folder, or as one 4-D file")
    }
    guard let first = found.first else { return }
    if let text = Self.oddity(of: first.geometry, settings) { note("\(first.path): \(text)") }
    guard memory.isStrict else { return }
    let bytes = SubjectPreparer.bytesNeeded(
      by: first.geometry, channels: channels, spacing: settings.spacing, isLabeled: false)
    guard bytes <= memory.bytes else {
      throw TrainingError.configuration(
        "--memory-limit: the images of \(subject.identifier) alone take \(bytes >> 20) MiB, more "
          + "than the \(memory.bytes >> 20) MiB allowed")
    }
  }

  private static func count(_ channels: Int) -> String {
    channels == 1 ? "1 channel" : "\(channels) channels"
  }

  /// What makes a grid unlike those of training; nil for nothing. Other spacing and orientation are
  /// brought to those of training, which cannot bring back detail.
  private static func oddity(of geometry: Geometry, _ settings: PreparationSettings) -> String? {
    if !geometry.isPlaced {
      return
        "its header does not say how it lies in space; it is taken to be \(settings.orientation)"
        + " or mirrored, so look at the result"
    }
    guard let spacing = settings.spacing,
      let axes = try? AxisMapping(from: geometry.affine, to: settings.orientation)
    else { return nil }
    let own = axes.reoriented(geometry).spacing
    // Our choice: twice as coarse or four times as fine.
    let isFar = zip(own, spacing).contains { $0 > 2 * $1 || 4 * $0 < $1 }
    guard isFar else { return nil }
    func text(_ spacing: [Double]) -> String {
      spacing.map { Progress.rounded($0, 2) }.joined(separator: " x ")
    }
    return
      "its spacing of \(text(own)) mm is far from the \(text(spacing)) mm of training, to which "
      + "it is resampled; look at the result"
  }
}
