import Imaging

extension Codec where Value == [Configuration.Postprocessing] {
  private typealias Step = Configuration.Postprocessing
  private static var form: String {
    "a list of {class, largestComponent, fillHoles, minimumVoxels}"
  }

  /// A list of what is done, each entry to one class or region.
  static var postprocessing: Codec {
    let schema = Schema<Step>(fields: [
      Field("class", \.target, target, ""),
      Field("largestComponent", \.largestComponent, .flag, ""),
      Field("fillHoles", \.fillHoles, .flag, ""),
      Field("minimumVoxels", \.minimumVoxels, .integer(atLeast: 0), ""),
    ])
    return Codec<Step>.record(Step(""), required: ["class"], schema).list(form)
  }

  /// A value is written as a number, as it is in lists of labels.
  private static var target: Codec<String> {
    let text = Codec<String>.text("a class's value or name, or a region's name")
    return Codec<String>(
      read: text.read, write: { name in Int(name).map { .integer($0) } ?? .string(name) })
  }
}

extension Configuration {
  /// The post-processing of label maps of `scheme`.
  ///
  /// - Throws: `configuration` for a class or region that the scheme does not have.
  package func postprocessingSteps(
    for scheme: LabelScheme
  ) throws(TrainingError) -> [PostprocessingStep] {
    var steps: [PostprocessingStep] = []
    for (index, setting) in postprocessing.enumerated() {
      guard var step = scheme.untouched(setting.target) else {
        let names = scheme.postprocessed.map {
          $0.key == $0.name ? $0.key : "\($0.key) (\($0.name))"
        }
        throw .configuration(
          "postprocessing[\(index)].class: no class or region '\(setting.target)'; there are "
            + names.joined(separator: ", "))
      }
      step.keepsLargestComponent = setting.largestComponent
      step.fillsHoles = setting.fillHoles
      step.minimumVoxels = setting.minimumVoxels
      steps.append(step)
    }
    return steps
  }
}

extension LabelScheme {
  /// What can be post-processed: the data set's regions, or else the foreground classes.
  var postprocessed: [ScoredClass] {
    ScoredClass.scored(
      of: Dataset(name: "", channelNames: [], labels: labels, regions: regions, subjects: []))
  }

  /// A step that does nothing to a class or region; nil for an unknown one.
  fileprivate func untouched(_ target: String) -> PostprocessingStep? {
    let known = postprocessed
    guard
      let found = known.first(where: { $0.key == target })
        ?? known.first(where: { $0.name == target })
    else { return nil }
    let region = regions.first { $0.name == found.key }
    return PostprocessingStep(
      values: found.values, painted: Int16(clamping: region?.painted ?? Int(found.values[0])),
      below: Int16(clamping: region.flatMap(next(below:))?.painted ?? 0))
  }

  /// The highest region below one that holds all of it.
  private func next(below region: Region) -> Region? {
    regions.filter { $0.layer < region.layer && Set($0.values).isSuperset(of: region.values) }
      .max { $0.layer < $1.layer }
  }
}
