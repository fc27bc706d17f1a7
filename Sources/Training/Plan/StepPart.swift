import Kernels
import NN
import Tensors

/// A part of a training step that can be run on its own.
package struct StepPart: Sendable {
  package enum Kind: Sendable {
    /// The scale's block and the sum of the gradients that meet at its output.
    case encoder(Int)
    case down(Int)
    case decoder(Int)
    case head(Int)
    case loss
    /// Zeroing, norm and update of the flat block of parameters.
    case parameters
  }

  package let kind: Kind
  /// What the names of its layers begin with in a profile; empty for what belongs to no layer.
  package let name: String
  /// What makes two parts the same work, readable.
  package let work: String
  /// How many times the work it is.
  var factor = 1.0
}

/// A step's network, loss and patch, as parts that can be timed.
package struct StepParts: Sendable {
  let model: ModelConfiguration
  let loss: Loss
  let extent: Extent

  package init(_ model: ModelConfiguration, loss: Loss, extent: Extent) {
    (self.model, self.loss, self.extent) = (model, loss, extent)
  }

  init(_ run: PlannedRun) { self.init(run.model, loss: run.loss, extent: run.extent) }

  /// Floats of the block that stands for the parameters: more than any cache, and no more than it takes.
  static let block = 1 << 23

  package var all: [StepPart] {
    (0..<model.scales).map(encoder) + (0..<model.scales - 1).map(down)
      + (0..<model.scales - 1).map(decoder) + (0..<model.heads).map(head) + [lossPart, parameters]
  }

  func extent(atScale scale: Int) -> Extent { extent.map { $0 >> scale } }

  private func encoder(_ scale: Int) -> StepPart {
    let own = model.channels(atScale: scale)
    let inputs = scale == 0 ? "image of \(model.inputs)" : "\(own)"
    let sum = scale < model.scales - 1 ? ", joined" : ""
    return StepPart(
      kind: .encoder(scale), name: "encoder.\(scale)",
      work: "block \(inputs) to \(own) channels, \(model.groups) groups, \(extent(atScale: scale))"
        + sum)
  }

  private func down(_ scale: Int) -> StepPart {
    let (own, next) = (model.channels(atScale: scale), model.channels(atScale: scale + 1))
    return StepPart(
      kind: .down(scale), name: "down.\(scale)",
      work: "down \(own) to \(next) channels, \(extent(atScale: scale))")
  }

  private func decoder(_ scale: Int) -> StepPart {
    let (own, next) = (model.channels(atScale: scale), model.channels(atScale: scale + 1))
    let attention =
      model.attention(atScale: scale).map {
        "\($0.kind.rawValue) attention \($0.kernelSize)/\($0.dilation)"
      } ?? "no attention"
    return StepPart(
      kind: .decoder(scale), name: "decoder.\(scale)",
      work: "stage \(next) to \(own) channels, \(model.groups) groups, \(attention), "
        + "\(extent(atScale: scale))")
  }

  private func head(_ scale: Int) -> StepPart {
    let own = model.channels(atScale: scale)
    return StepPart(
      kind: .head(scale), name: "head.\(scale)",
      work: "head \(own) channels to \(model.outputs), \(extent(atScale: scale))"
        + (scale > 0 ? ", joined" : ""))
  }

  private var lossPart: StepPart {
    StepPart(
      kind: .loss, name: "",
      work: "\(loss.rawValue) of \(model.outputs) outputs, \(model.heads) heads, \(extent)")
  }

  private var parameters: StepPart {
    StepPart(
      kind: .parameters, name: "", work: "parameters",
      factor: Double(model.parameterCount) / Double(Self.block))
  }
}
