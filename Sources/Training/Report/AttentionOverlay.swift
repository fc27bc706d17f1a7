import Imaging
import Tensors

/// A subject's slices through most of its label map, to lay attention over.
struct AttentionOverlay {
  private let view: SubjectView
  private let slices: [(slice: Slice, labels: [Int16])]
  /// How much of a pixel is the attention's color.
  private static let share: Float = 0.55

  /// - Throws: what keeps the image from being read.
  init(of subject: Subject, labels: LabelMap) throws {
    guard let image = subject.images.first else {
      throw ImagingError.missing("subject \(subject.identifier) has no image")
    }
    view = try SubjectView(try NIfTI.readImage(image), pixels: 360)
    let center = view.center(of: labels.labels)
    slices = Slice.Plane.allCases.map { [view] plane in
      let slice = view.slice(plane, through: center)
      return (slice, slice.pixels(of: labels.labels))
    }
  }

  /// Axial, coronal and sagittal slice, purple where the map is low and yellow where it is high,
  /// the label map outlined in white.
  func picture(of map: Volume) -> Picture {
    let shown = slices.map { $0.slice.pixels(of: map.grid.values) }
    let window = GrayWindow(of: shown.joined().filter { $0 > 0 })
    let pictures = zip(slices, shown).map { place, values in
      var picture = view.picture(place.slice)
      picture.lay { pixel in
        let value = values[pixel]
        return (Palette.viridis(window.share(value)), value > 0 ? Self.share : 0)
      }
      picture.outline(place.labels, thickness: 1) { _ in SIMD3(repeating: 255) }
      return picture
    }
    return Picture.row(pictures, gap: 6)
  }
}
