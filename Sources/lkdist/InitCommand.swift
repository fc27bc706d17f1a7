import ArgumentParser
import Training

/// `lkdist init`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Look at a data set and write a commented configuration that trains as it is.",
    discussion: """
      Layouts that are recognized: MSD and nnU-Net (dataset.json), BraTS 2020, CT-ORG, and MONAI's
      datalists. Examples:
        lkdist init Task04_Hippocampus && mpirun -n 2 lkdist train
        lkdist init --preset brats2020 MICCAI_BraTS2020_TrainingData
      """)

  @Argument(help: "The data set's folder, or its JSON file; may be left out with --preset.")
  var data: String?

  @Option(help: "Write the article's recipe: brats2020 or ct-org.")
  var preset: Preset?

  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The configuration file to write.")
  var output = "lkdist.yaml"

  @Flag(help: "Replace a file that exists.")
  var overwrite = false

  func run() throws {
    let proposal = try self.proposal()
    try proposal.write(overwrites: overwrite)
    print(proposal.summary)
  }

  private func proposal() throws -> ConfigurationProposal {
    if let preset { return try ConfigurationProposal(preset: preset, data: data, output: output) }
    guard let data else {
      throw ValidationError("give the data set's folder, or --preset brats2020 or ct-org")
    }
    return try ConfigurationProposal(data: data, output: output)
  }
}

extension Preset: ExpressibleByArgument {}
