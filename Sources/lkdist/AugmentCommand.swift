import ArgumentParser
import Collectives
import Training

/// `lkdist augment`.
struct AugmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "augment",
    abstract: "Write a run's first augmented patches and a sheet to look at.",
    discussion: """
      Every row of sheet.png is a patch: as cut on the left, as trained on on the right.
      Example:
        lkdist augment lkdist.yaml -n 8 -o samples
      """)

  @OptionGroup var file: ConfigurationOptions

  @Option(
    name: [.customShort("n"), .customLong("count")], help: "The number of patches to write.")
  var count = 8

  @Option(name: [.customShort("o"), .customLong("output")], help: "The folder for the samples.")
  var output: String

  @Flag(help: "Replace samples that exist.")
  var overwrite = false

  func validate() throws {
    guard (1...1000).contains(count) else {
      throw ValidationError("-n must be from 1 to 1000")
    }
  }

  func run() throws {
    let session = try MPISession()
    let samples = try AugmentationSamples(
      configuration: file.configuration, overrides: file.allOverrides, output: output,
      world: session.world)
    if session.world.rank == 0 {
      try samples.write(count: count, overwrites: overwrite)
      print("Wrote \(count) patches and sheet.png to \(output)")
    }
    try session.finalize()
  }
}
