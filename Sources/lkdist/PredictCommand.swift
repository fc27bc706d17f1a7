import ArgumentParser
import Training

/// `lkdist predict`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Segment images; label maps lie on the input's own grid.",
    discussion: """
      Examples:
        lkdist predict --checkpoint best.safetensors -i scan.nii.gz -o scan_seg.nii.gz
        lkdist predict --checkpoint best.safetensors -i Task04_Hippocampus -o predictions
      """)

  @Option(help: "A checkpoint; repeat it to average several.")
  var checkpoint: [String]

  @Option(
    name: [.customShort("i"), .customLong("input")],
    help: "An image (repeated in channel order, or 4-D), or a folder in a training layout.")
  var input: [String]

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: "The label map's file for one image, or a folder.")
  var output: String

  @Option(help: "The share of a window that its neighbor covers again, 0 to below 1.")
  var overlap = 0.5

  @Flag(help: "Replace label maps that exist.")
  var overwrite = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard (0..<1).contains(overlap) else {
      throw ValidationError("--overlap must be from 0 to below 1")
    }
  }

  func run() throws {
    try PredictionRun(
      checkpoints: checkpoint, inputs: input, output: output, overlap: overlap,
      overwrites: overwrite, threads: shared.threads, isQuiet: shared.quiet
    ).run()
  }
}
