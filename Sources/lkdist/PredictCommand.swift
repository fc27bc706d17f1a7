import ArgumentParser
import Collectives
import Training

/// `lkdist predict`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Segment images; label maps lie on the input's own grid.",
    discussion: """
      Under mpirun the images are dealt to the ranks, or if they are fewer than ranks, each one's
      windows. An image that cannot be segmented is named at the end, after the others are done.
      Examples:
        lkdist predict --checkpoint best.safetensors -i scan.nii.gz -o scan_seg.nii.gz
        lkdist predict --checkpoint best.safetensors -i t1.nii.gz -i t2.nii.gz -o seg.nii.gz --mirror
        mpirun -n 4 lkdist predict --checkpoint best.safetensors -i Task04_Hippocampus -o predictions
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

  @Flag(help: "Average over all mirror images as well: eight times the work.")
  var mirror = false

  @Option(
    help: ArgumentHelp(
      "Memory that a rank may take, such as 8GiB; three quarters of the host's by default. Large "
        + "volumes are then worked on in bands along z, with the same result.", valueName: "size"))
  var memoryLimit: MemorySize?

  @Flag(help: "Write probabilities as well, 4-D, into 'probabilities' beside the label maps.")
  var saveProbabilities = false

  @Flag(help: "Write the attention maps and pictures of them to the folder attention beside OUT.")
  var saveAttention = false

  @Option(help: "Channels of the attention to save besides their mean, from 0, such as 0,5.")
  var attentionChannels: String?

  @Flag(help: "Replace label maps that exist.")
  var overwrite = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard (0..<1).contains(overlap) else {
      throw ValidationError("--overlap must be from 0 to below 1")
    }
    _ = try channels
  }

  func run() throws {
    let session = try MPISession()
    let code = try PredictionRun(
      options: try options(), world: session.world, threads: shared.threads
    ).run()
    try session.finalize()
    if code != .done { throw ExitCode(code.rawValue) }
  }

  private func options() throws -> PredictionRun.Options {
    var options = PredictionRun.Options(checkpoints: checkpoint, inputs: input, output: output)
    options.overlap = overlap
    options.mirrors = mirror
    options.memoryLimit = memoryLimit?.bytes
    options.savesProbabilities = saveProbabilities
    options.attentionChannels = saveAttention ? try channels : nil
    options.overwrites = overwrite
    options.isQuiet = shared.quiet
    return options
  }

  private var channels: [Int] {
    get throws {
      guard let attentionChannels else { return [] }
      guard saveAttention else {
        throw ValidationError("--attention-channels needs --save-attention")
      }
      return try attentionChannels.split(separator: ",", omittingEmptySubsequences: false).map {
        guard let channel = Int($0), channel >= 0 else {
          throw ValidationError("--attention-channels takes numbers from 0, such as 0,5")
        }
        return channel
      }
    }
  }
}
