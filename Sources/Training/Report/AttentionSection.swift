import Foundation
import Imaging
import Kernels
import NN
import Tensors

/// What the large-kernel attention does to one subject: the article's Fig. 5.
struct AttentionSection {
  let run: RunContents
  let scores: Part<ValidationScores>
  /// The subject that the user wants to see; nil for one of middling Dice.
  let wanted: String?
  let compute: Compute

  var html: String {
    let figures = Part<String>.read {
      let subject = try self.subject()
      return try AttentionFigures(of: run, subject: subject, on: compute).html
    }
    switch figures {
    case .success(let html): return html
    case .failure(let absence):
      return Markup.missing("There is no attention map: \(absence.reason)")
    }
  }

  private func subject() throws -> Subject {
    let known = try run.dataset.get().labeledSubjects
    if let wanted {
      guard let subject = known.first(where: { $0.identifier == wanted }) else {
        throw Absence("the data set has no labeled subject \(wanted)")
      }
      return subject
    }
    let ranked = (try? scores.get())?.ranked ?? []
    let name = ranked.isEmpty ? nil : ranked[ranked.count / 2].identifier
    guard let subject = known.first(where: { $0.identifier == name }) ?? known.first else {
      throw Absence("the data set has no labeled subject")
    }
    return subject
  }
}

/// One picture for each attention module: input, feature map, attention map, product, labels.
struct AttentionFigures {
  let html: String
  private static let readouts: [AttentionReadout] = [.input, .attention, .product]

  init(of run: RunContents, subject: Subject, on compute: Compute) throws {
    let (channels, maps) = try Self.maps(of: run, subject: subject, on: compute)
    let picture = try AttentionPicture(of: subject, classes: run.classes)
    let count = Self.readouts.count
    let figures = stride(from: 0, to: channels.count, by: count).map { first in
      let group = (first..<first + count).map(maps.volume)
      return Self.figure(picture, group, scale: channels[first].scale, of: subject)
    }
    html = Markup.element("div", ["class": "subjects attention"], figures.joined())
  }

  /// The maps of every module, three a module.
  private static func maps(
    of run: RunContents, subject: Subject, on compute: Compute
  ) throws -> (channels: [AttentionChannel], maps: OwnGridVolume) {
    let checkpoints = run.folder.checkpoints
    let path =
      [checkpoints.best, checkpoints.last].first { FileManager.default.fileExists(atPath: $0) }
      ?? checkpoints.best
    let trained = try TrainedModel(path, on: compute)
    let channels = trained.model.configuration.attentionChannels(readouts)
    guard !channels.isEmpty else {
      throw Absence("the model has no large-kernel attention")
    }
    let unlabeled = Subject(identifier: subject.identifier, images: subject.images, label: nil)
    let prepared = try Preparation.prepare(
      unlabeled, dataset: trained.dataset, settings: trained.preparation)
    let segmenter = Segmenter(
      [Segmenter.Member(model: trained.model, patch: trained.patch)], scheme: trained.scheme,
      attention: channels, on: compute)
    return (channels, try segmenter.attentionMaps(of: prepared))
  }

  private static func figure(
    _ picture: AttentionPicture, _ maps: [Volume], scale: Int, of subject: Subject
  ) -> String {
    let drawn = picture.drawn(maps)
    let title = Markup.text("h3", "\(subject.identifier), attention at scale \(scale)")
    let image = Markup.image(
      .success(drawn.picture),
      alternative: "Input, feature map, attention map, product and labels of \(subject.identifier)")
    func range(_ window: GrayWindow) -> String {
      "\(Progress.rounded(Double(window.black), 2)) (dark) to "
        + "\(Progress.rounded(Double(window.white), 2)) (bright)"
    }
    let captions = [
      ("a Input", "first channel"), ("b Feature map", "mean of channels, \(range(drawn.feature))"),
      ("c Attention map A", "mean of channels, \(range(drawn.attention))"),
      ("d Product", "A times b, on b's colors"), ("e Labels", "of the reference"),
    ]
    let items = captions.map { name, note in
      Markup.element("li", [:], Markup.text("b", name) + " " + Markup.escaped(note))
    }
    return Markup.element(
      "figure", [:], title + image + Markup.element("ol", ["class": "panels"], items.joined()))
  }
}

/// The axial slice of a subject that shows most of its reference, as panels side by side.
struct AttentionPicture {
  private let view: SubjectView
  private let slice: Slice
  private let labels: [Int16]
  private let tones: [Int16: Int]

  /// - Throws: what keeps the files from being read.
  init(of subject: Subject, classes: [ScoredClass]) throws {
    guard let image = subject.images.first, let label = subject.label else {
      throw Absence("\(subject.identifier) has no image or no label map")
    }
    view = try SubjectView(try NIfTI.readImage(image), pixels: 360)
    let labels = try NIfTI.readLabels(label).labels
    slice = view.slice(.axial, through: view.center(of: labels))
    self.labels = slice.pixels(of: labels)
    tones = Palette.tones(of: classes)
  }

  /// The five panels of feature map, attention map and product on the subject's own grid, and what
  /// is dark and bright in them.
  func drawn(_ maps: [Volume]) -> (picture: Picture, feature: GrayWindow, attention: GrayWindow) {
    let shown = maps.map { slice.pixels(of: $0.grid.values) }
    // Outside the box that preparation keeps there is no map, and A is 0 there alone.
    let inside = shown[1].map { $0 > 0 }
    func window(_ values: [Float]) -> GrayWindow {
      GrayWindow(of: zip(values, inside).filter(\.1).map(\.0))
    }
    let (feature, attention) = (window(shown[0]), window(shown[1]))
    let colored = zip(shown, [feature, attention, feature]).map { values, window in
      Picture(
        slice,
        colors: zip(values, inside).map { $1 ? Palette.viridis(window.share($0)) : .zero })
    }
    var painted = view.picture(slice)
    painted.lay { pixel in
      (Palette.picture(tones[labels[pixel]]), labels[pixel] > 0 ? 0.75 : 0)
    }
    return (Picture.row([view.picture(slice)] + colored + [painted], gap: 8), feature, attention)
  }
}
