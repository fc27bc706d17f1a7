import ArgumentParser
import Training

/// `lkdist export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a checkpoint as weights, as an ONNX model, and as a model card.",
    discussion: """
      scripts/lkdist_torch.py loads weights into PyTorch. Examples:
        lkdist export best.safetensors --onnx model.onnx --card README.md
        lkdist export last.safetensors --safetensors weights.safetensors --overwrite
      """)

  @Argument(help: "The checkpoint.")
  var checkpoint: String

  @Option(help: "The weights alone, without what a run needs to go on.")
  var safetensors: String?

  @Option(help: "An ONNX model (opset 17): image [1,I,D,H,W] to logits of the finest head.")
  var onnx: String?

  @Flag(help: "Give the ONNX model outputs attention_<scale>, 0 to 1, too.")
  var attention = false

  @Option(help: "A model card in Markdown: data, scores, intended use, limits, licence.")
  var card: String?

  @Option(
    help: """
      A random image with its logits and attention by the exact kernels (safetensors), to check a \
      copy elsewhere.
      """)
  var sample: String?

  @Flag(help: "Replace files that exist.")
  var overwrite = false

  @OptionGroup var shared: SharedOptions

  private var outputs: ExportRun.Outputs {
    ExportRun.Outputs(safetensors: safetensors, onnx: onnx, sample: sample, card: card)
  }

  func validate() throws {
    let paths = outputs.paths
    guard !paths.isEmpty else {
      throw ValidationError("nothing to write: give --safetensors, --onnx, --card or --sample")
    }
    guard Set(paths).count == paths.count else {
      throw ValidationError("two outputs have the same path")
    }
    guard onnx != nil || !attention else {
      throw ValidationError("--attention is for --onnx")
    }
  }

  func run() throws {
    try ExportRun(checkpoint, threads: shared.threads)
      .write(outputs, givesAttention: attention, overwrites: overwrite)
    if !shared.quiet { for path in outputs.paths { print("wrote \(path)") } }
  }
}
