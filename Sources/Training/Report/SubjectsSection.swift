import Foundation
import Imaging

/// Slices of the best, the middle and the worst subject, the reference and the prediction outlined.
struct SubjectsSection {
  let scores: ValidationScores

  var html: String {
    let figures = scores.examples.map(figure)
    return Self.key(of: scores.scores.classes)
      + Markup.element("div", ["class": "subjects"], figures.joined(separator: "\n"))
  }

  /// What the lines mean.
  private static func key(of classes: [ScoredClass]) -> String {
    func item(_ kind: String, _ text: String) -> String {
      Markup.element("li", [:], Markup.element("i", ["class": kind], "") + Markup.escaped(text))
    }
    let predictions = classes.enumerated().map { index, kind in
      item("tone\(index % Palette.tones.count)", kind.name)
    }
    let items = [item("reference", "reference (dotted)")] + predictions
    return Markup.element("ul", ["class": "key"], items.joined())
  }

  private func figure(
    _ example: (rank: String, identifier: String, mean: Score)
  ) -> String {
    let dice = ScoresSection.fixed(example.mean.dice, digits: 4)
    let hd95 = ScoresSection.fixed(example.mean.hd95, digits: 2)
    let title = Markup.text("h3", "\(example.rank): \(example.identifier)")
    let caption = Markup.text(
      "figcaption",
      "Mean Dice \(dice), mean HD95 \(hd95) mm. Axial, coronal and sagittal slice through most of "
        + "the reference; the subject's left is on the left.")
    return Markup.element("figure", [:], title + picture(of: example) + caption)
  }

  private func picture(
    of example: (rank: String, identifier: String, mean: Score)
  ) -> String {
    let part = Part<Picture>.read {
      guard let item = scores.cases[example.identifier] else {
        throw Absence("its files are not known")
      }
      return try OutlinedSubject(item, classes: scores.scores.classes).picture
    }
    return Markup.image(part, alternative: "Slices of \(example.identifier) with outlines")
  }
}

/// Three slices of a subject, with the outlines of its reference and of a prediction.
struct OutlinedSubject {
  let picture: Picture

  /// - Throws: what keeps the files from being read.
  init(_ item: ValidationScores.Case, classes: [ScoredClass]) throws {
    guard let image = item.subject.images.first else {
      throw Absence("\(item.subject.identifier) has no image")
    }
    let view = try SubjectView(try NIfTI.readImage(image))
    let reference = try NIfTI.readLabels(item.reference).labels
    let prediction = try NIfTI.readLabels(item.prediction).labels
    let center = view.center(of: reference)
    let tones = Palette.tones(of: classes)
    let slices = Slice.Plane.allCases.map { plane in
      let slice = view.slice(plane, through: center)
      var picture = view.picture(slice)
      picture.outline(slice.pixels(of: prediction), thickness: 3) { label in
        Palette.picture(tones[label])
      }
      picture.outline(slice.pixels(of: reference), thickness: 3, dash: 4) { _ in
        SIMD3(repeating: 255)
      }
      return picture
    }
    picture = Picture.row(slices, gap: 8)
  }
}

extension Markup {
  /// A picture within the page, or why there is none.
  static func image(_ picture: Part<Picture>, alternative: String) -> String {
    let part = picture.flatMap { picture in
      Part<String>.read {
        let data = Data(try picture.png()).base64EncodedString()
        return element(
          "img",
          [
            "src": "data:image/png;base64,\(data)", "alt": alternative,
            "width": "\(picture.width)", "height": "\(picture.height)",
          ])
      }
    }
    switch part {
    case .success(let image): return image
    case .failure(let absence): return missing("There is no picture: \(absence.reason)")
    }
  }

  /// A sentence in the place of a part that is not there.
  static func missing(_ text: String) -> String { Self.text("p", class: "missing", text) }
}
