import NN
import Tensors

/// Parameters and work of the parts of a network.
struct WorkSummary: Sendable {
  struct Part: Sendable {
    let name: String
    let parameters: Int
    /// Multiplications and additions of a forward pass, computed directly.
    let operations: Double
  }

  let parts: [Part]
  /// Those of a whole step, computed directly: forward, gradients of inputs and of weights.
  let stepOperations: Double
  /// Those that the step's kernels really have, the transforms of Winograd's algorithms not counted.
  let executedOperations: Double

  init(_ model: ModelConfiguration, extent: Extent, _ rehearsal: StepRehearsal) {
    let convolutions = model.directOperations(on: extent)
    parts = ["encoder", "down", "up", "attention", "decoder", "head"].map { name in
      Part(
        name: name,
        parameters: model.parameters.filter { Self.part(of: $0.layer) == name }
          .reduce(0) { $0 + $1.count },
        operations: convolutions.filter { Self.part(of: $0.name) == name }
          .reduce(0) { $0 + $1.operations })
    }
    let forward = convolutions.reduce(0) { $0 + $1.operations }
    // Nobody asks for the gradient of the image.
    stepOperations = 3 * forward - (convolutions.first?.operations ?? 0)
    executedOperations = rehearsal.calls.reduce(0) { $0 + $1.operations }
  }

  /// The part of the network that a layer belongs to.
  private static func part(of layer: String) -> String {
    let words = layer.split(separator: ".")
    if words.contains("attention") { return "attention" }
    if words.contains("up") || words.contains("upnorm") { return "up" }
    return words.first.map(String.init) ?? layer
  }
}
