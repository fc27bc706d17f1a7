import ArgumentParser
import Imaging
import Tensors
import Training

/// `lkdist bench augmentation`.
struct AugmentationBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "augmentation",
    abstract: "Time augmentation of random patches on one thread, one JSON line a preset.",
    discussion: """
      Example:
        lkdist bench augmentation --patch 128,128,128 --channels 4 --patches 100
      """)

  @Option(help: "The patch size x,y,z.")
  var patch = "128,128,128"

  @Option(help: "Channels of the image.")
  var channels = 4

  @Option(help: "Patches to time.")
  var patches = 20

  @Flag(help: "Time each kind of transform alone as well, applied to every patch.")
  var each = false

  func validate() throws {
    _ = try Extent(argument: patch)
    guard channels > 0, patches > 0 else {
      throw ValidationError("--channels and --patches must be at least 1")
    }
  }

  func run() throws {
    let benchmark = AugmentationBenchmark(patch: try Extent(argument: patch), channels: channels)
    for preset in Augmentation.Preset.allCases {
      print(benchmark.line(preset: preset, patches: patches).text)
    }
    if each { benchmark.linesForEachKind(patches: patches).forEach { print($0.text) } }
  }
}
