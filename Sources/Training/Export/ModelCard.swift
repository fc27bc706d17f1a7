import Files
import Foundation
import Imaging
import NN

/// A model's card: what it was trained on, how well it does, what it is for and what it is not for.
struct ModelCard {
  /// The checkpoint's file name.
  let name: String
  let metadata: CheckpointMetadata
  let model: ModelConfiguration
  let parameters: Int
  let classes: [ScoredClass]
  /// The run's folder, which knows scores and the data set's hash; nil for a checkpoint on its own.
  let run: RunFolder?

  /// The card as Markdown, with the front matter that model hubs read.
  var text: String {
    let sections = [
      frontMatter, introduction, section("Data", data), section("Scores", scores),
      section("Training", training), section("Intended use", Self.intendedUse),
      section("Limits", limits), section("Licence", Self.licence), section("Use", use),
    ]
    return sections.joined(separator: "\n\n") + "\n"
  }

  private func section(_ title: String, _ lines: [String]) -> String {
    "## \(title)\n\n" + lines.joined(separator: "\n")
  }

  private var configuration: Configuration { metadata.configuration }
  private var isImported: Bool { metadata.state.step == 0 }

  private var frontMatter: String {
    """
    ---
    library_name: lkdist
    pipeline_tag: image-segmentation
    tags: [medical-imaging, 3d, segmentation, large-kernel-attention]
    ---
    """
  }

  private var introduction: String {
    """
    # \(configuration.name)

    Segments \(classes.map(\.name).inWords) in 3-D images of \(model.inputs) \
    channel\(model.inputs == 1 ? "" : "s"). A U-Net with large-kernel attention (Li et al. 2023), \
    \(parameters) parameters, trained with lkdist.
    """
  }

  private var data: [String] {
    let settings = configuration.data
    let preparation = configuration.json["data"]
    func value(_ key: String) -> String { preparation?[key]?.yamlText ?? "" }
    let spacing = settings.spacing == nil ? "as stored" : value("spacing") + " mm (x, y, z)"
    return [
      "- Data set: \(Paths.name(of: settings.path))\(hash)",
      "- Held out: \(heldOut)",
      "- Prepared to orientation \(settings.orientation), spacing \(spacing), "
        + "normalization \(value("normalization")); patches of \(value("patchSize")) voxels",
      "- Classes: "
        + classes.map { $0.key == $0.name ? $0.name : "\($0.key) \($0.name)" }
        .joined(separator: ", "),
    ]
  }

  private var hash: String {
    manifest?["dataset_hash"]?.string.map { " (names and sizes of its files: \($0.prefix(16)))" }
      ?? ""
  }

  private var heldOut: String {
    switch configuration.data.fold {
    case .all: "nothing: all subjects were trained on"
    case .index(let fold):
      "fold \(fold) of \(folds), for validation"
    }
  }

  private var folds: String {
    configuration.data.splits.map(Paths.name) ?? String(configuration.data.folds)
  }

  private var training: [String] {
    guard !isImported else { return ["The weights were imported; how they came about is unknown."] }
    let state = metadata.state
    let version = manifest?["versions"]?["lkdist"]?.string.map { ", lkdist \($0)" } ?? ""
    return [
      "- \(state.epoch) of \(configuration.training.epochs) epochs, \(state.step) steps, "
        + "\(state.ranks) rank\(state.ranks == 1 ? "" : "s"), seed \(state.seed)\(version)",
      "- Loss \(configuration.loss.kind.rawValue), \(configuration.optimizer.kind.rawValue) with "
        + "learning rate \(configuration.optimizer.learningRate), schedule "
        + "\(configuration.schedule.kind.rawValue), augmentation "
        + "\(configuration.augmentation.preset.rawValue)",
    ]
  }

  private static let intendedUse = [
    "Research on images of the kind that the model was trained on: the same modalities in the same",
    "order, the same body region, prepared in the same way, which `lkdist predict` does.",
  ]

  private var limits: [String] {
    [
      "- Not a medical device: not for diagnosis or treatment.",
      "- How it does on other scanners, protocols, populations or diseases is unknown; look at the "
        + "results before using them.",
      isImported || configuration.data.fold == .all
        ? "- It was not scored here on subjects it has not seen."
        : "- Scores are of the validation subjects, by which the best weights were chosen too: on "
          + "new data expect somewhat less.",
    ]
  }

  private static let licence = [
    "Not stated. Whoever trained the weights chooses their licence, within what the licence of the",
    "data allows. That of lkdist (Apache-2.0) does not cover them.",
  ]

  private var use: [String] {
    ["```", "lkdist predict --checkpoint \(name) -i image.nii.gz -o labels.nii.gz", "```"]
  }
}

// MARK: - What the run's folder knows

extension ModelCard {
  private var manifest: JSON? { run.flatMap { Self.json(at: $0.manifest).first } }

  /// A table of the last validation that these weights can have had.
  private var scores: [String] {
    let validations = run.map { Self.lines(of: $0.metrics) } ?? []
    let last = validations.last { line in
      line["dice"] != nil && (line["step"]?.integer ?? .max) <= metadata.state.step
    }
    guard let last, !isImported else { return ["None are known."] }
    let keys =
      classes.map { (key: $0.key, name: $0.name) } + [
        (key: "foreground", name: "mean of the classes")
      ]
    let rows = keys.map { key, name in
      "| \(name) | \(Self.fixed(last["dice"]?[key], 4)) | \(Self.fixed(last["hd95"]?[key], 2)) |"
    }
    let epoch = last["epoch"]?.integer ?? 0
    return ["| class | Dice | HD95 mm |", "|---|---|---|"] + rows
      + ["", "Means over the validation subjects after epoch \(epoch).", rule]
  }

  private var rule: String { ScoringRule.validation.text(for: classes) }

  private static func fixed(_ value: JSON?, _ digits: Int) -> String {
    value?.number.map { String(format: "%.\(digits)f", $0) } ?? "-"
  }

  private static func json(at path: String) -> [JSON] {
    guard let data = FileManager.default.contents(atPath: path),
      let json = try? JSON.parse(Array(data))
    else { return [] }
    return [json]
  }

  private static func lines(of path: String) -> [JSON] {
    (FileManager.default.contents(atPath: path) ?? Data()).split(separator: UInt8(ascii: "\n"))
      .compactMap { try? JSON.parse(Array($0)) }
  }
}
