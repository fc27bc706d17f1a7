import ArgumentParser
import NN
import Tensors

/// The network and patch that a benchmark is about.
struct NetworkOptions: ParsableArguments {
  @Option(help: "The patch size x,y,z.")
  var patch = "64,64,64"

  @Option(help: "Channels of the image.")
  var inputs = 4

  @Option(help: "Channels of the logits.")
  var outputs = 3

  @Option(help: "Attention modules: none, mid or full.")
  var attention = "mid"

  @Option(help: "Channels of the first scale.")
  var channels = 32

  @Option(help: "The largest number of channels of a scale.")
  var maximumChannels = 512

  @Option(help: "Scales of the network.")
  var scales = 6

  func validate() throws {
    _ = try Extent(argument: patch)
    guard ["none", "mid", "full"].contains(attention) else {
      throw ValidationError("--attention takes none, mid or full")
    }
    guard inputs > 0, outputs > 0 else {
      throw ValidationError("--inputs and --outputs must be at least 1")
    }
  }

  /// The configuration and the patch's extent.
  ///
  /// - Throws: `ModelError` if the network does not fit the patch.
  func checked() throws -> (ModelConfiguration, Extent) {
    let extent = try Extent(argument: patch)
    let model = ModelConfiguration(
      inputs: inputs, outputs: outputs, attention: placements, channels: channels,
      maximumChannels: maximumChannels, scales: scales, groups: 8)
    try model.validate(patch: extent)
    return (model, extent)
  }

  private var placements: [AttentionPlacement] {
    switch attention {
    case "mid": ModelConfiguration.mid(scales: scales)
    case "full": ModelConfiguration.full(scales: scales)
    default: ModelConfiguration.none
    }
  }
}

extension Extent {
  /// An extent from `x,y,z`, as --patch has it.
  ///
  /// - Throws: `ValidationError` for anything else.
  init(argument: String) throws {
    let sizes = argument.split(separator: ",", omittingEmptySubsequences: false)
      .compactMap { Int($0) }
    guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--patch takes three sizes, such as 64,64,64")
    }
    self.init(depth: sizes[2], height: sizes[1], width: sizes[0])
  }
}
