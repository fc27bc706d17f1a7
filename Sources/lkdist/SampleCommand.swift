import ArgumentParser
import Imaging

/// `lkdist sample DIR`.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Write a small real data set: one brain, five deep structures, two hemispheres.",
    discussion: """
      Colin27's T1 image with AAL labels, from Debian's mricron-data package: the left hemisphere
      to train on, the right one held out. Example:
        lkdist sample demo && mpirun -n 2 lkdist train demo/lkdist.yaml
      """)

  @Argument(help: "The folder to write into.")
  var folder: String

  func run() throws {
    try SampleDataset.write(to: folder)
    print("Wrote \(folder): train with  mpirun -n 2 lkdist train \(folder)/lkdist.yaml")
  }
}
