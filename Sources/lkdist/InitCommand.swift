import ArgumentParser
import Training

/// `lkdist init`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Look at a data set and write a commented configuration that trains as it is.",
    discussion: """
      Example:
        lkdist init Task04_Hippocampus && mpirun -n 2 lkdist train
      """)

  @Argument(help: "The data set's folder.")
  var data: String

  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The configuration file to write.")
  var output = "lkdist.yaml"

  @Flag(help: "Replace a file that exists.")
  var overwrite = false

  func run() throws {
    let proposal = try ConfigurationProposal(data: data, output: output)
    try proposal.write(overwrites: overwrite)
    print(proposal.summary)
  }
}
