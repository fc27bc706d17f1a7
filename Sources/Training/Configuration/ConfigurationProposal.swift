import Files
import Foundation
import Imaging
import Tensors

/// The configuration that `lkdist init` writes: for a data set it looks at, or a preset.
package struct ConfigurationProposal {
  /// The configuration to write.
  package let configuration: Configuration
  private let title: String
  /// What was found, or what the recipe is.
  private let findings: [String]
  private let output: String

  /// Looks at the data set and proposes what fits it.
  ///
  /// - Throws: `ImagingError` naming the file; `missing` where nothing can be trained on.
  package init(data: String, output: String) throws {
    let survey = try DatasetSurvey(data)
    configuration = Self.configuration(for: survey, data: data)
    title = survey.dataset.name
    findings = survey.findings
    self.output = output
  }

  /// The recipe of a preset for the data set, or without one for the folder it is unpacked to.
  ///
  /// - Throws: `ImagingError` for a data set that is not in the preset's layout.
  package init(preset: Preset, data: String?, output: String) throws {
    var configuration = preset.configuration
    var notes = preset.notes
    if let data {
      let dataset = try Dataset.load(data, layout: configuration.data.layout)
      notes += DatasetSurvey.description(of: dataset)
    }
    configuration.data.path = Paths.absolute(data ?? preset.folder, from: Paths.workingDirectory)
    self.configuration = configuration
    title = "the preset \(preset.rawValue)"
    findings = notes
    self.output = output
  }

  private static func configuration(for survey: DatasetSurvey, data: String) -> Configuration {
    let dataset = survey.dataset
    var result = Configuration()
    result.name = dataset.name.lowercased().replacing(" ", with: "-").replacing("/", with: "-")
    result.data.path = Paths.absolute(data, from: Paths.workingDirectory)
    result.data.layout = dataset.layout
    result.data.labels = survey.namesLabels ? nil : dataset.labels
    result.data.folds = min(5, max(2, dataset.labeledSubjects.count))
    if let folds = survey.folds {
      result.data.folds = max(2, (folds.last ?? 0) + 1)
      result.data.fold = folds.first.map { .index($0) } ?? .all
    }
    result.data.spacing = survey.spacing.map { ($0 * 1000).rounded() / 1000 }
    result.model.scales = scales(for: survey.sizes)
    let multiple = 1 << (result.model.scales - 1)
    result.data.patchSize = survey.sizes.map {
      min(largestPatch, ($0 + multiple - 1) / multiple * multiple)
    }
    let isCT = dataset.channelNames.allSatisfy { $0.uppercased() == "CT" }
    result.data.normalization = .all(isCT ? .ct : .zscore)
    if !dataset.regions.isEmpty { result.loss.kind = .diceBCE }
    return result
  }

  /// Our choice: larger patches of a 32-channel network take over 20 GB a rank.
  private static let largestPatch = 192

  /// As many scales as leave the lowest map at least 4 voxels along each axis, from 3 to 6.
  private static func scales(for sizes: [Int]) -> Int {
    (3...6).last { scales in
      sizes.allSatisfy { ($0 + (1 << (scales - 1)) - 1) >> (scales - 1) >= 4 }
    } ?? 3
  }

  /// Writes the configuration with a comment on every key.
  ///
  /// - Throws: `inputOutput` for a file that exists, unless it may be overwritten.
  package func write(overwrites: Bool) throws(TrainingError) {
    try ResultFile.check(output, overwrites: overwrites)
    let header =
      ["lkdist configuration for \(title), written by lkdist init."] + findings
      + ["Any key may be left out; its default is then taken."]
    try AtomicFile.write(configuration.commented(header: header), to: output, kind: "configuration")
  }

  /// What was found and where the configuration went.
  package var summary: String {
    (findings + ["Wrote \(output): train with  mpirun -n 2 lkdist train \(output)"])
      .joined(separator: "\n")
  }
}
