import NN
import Protobuf

/// The attention modules as ONNX nodes.
extension ONNXNetwork {
  /// What an attention module makes of u.
  mutating func addAttention(
    _ name: String, _ placement: AttentionPlacement, _ u: String
  ) -> String {
    switch placement.kind {
    case .decomposed: addGate(addDecomposed(name, placement, u), name, placement, u)
    case .whole:
      addGate(
        addConvolution("\(name).full", u, edge: placement.kernelSize), name, placement, u)
    case .cbam: addCBAM(name, u)
    }
  }

  /// u + sigmoid(a) u; the sigmoid is `attention_<scale>`.
  private mutating func addGate(
    _ a: String, _ name: String, _ placement: AttentionPlacement, _ u: String
  ) -> String {
    let attention = graph.add("Sigmoid", [a], as: "attention_\(placement.scale)")
    let product = graph.add("Mul", [attention, u], as: "\(name).product")
    return graph.add("Add", [u, product], as: name)
  }

  /// pointwise(local(dilated(u))).
  private mutating func addDecomposed(
    _ name: String, _ placement: AttentionPlacement, _ u: String
  ) -> String {
    let channels = model.channels(atScale: placement.scale)
    let dilated = addConvolution(
      "\(name).dilated", u, edge: placement.dilatedSize, dilation: placement.dilation,
      groups: channels)
    let local = addConvolution(
      "\(name).local", dilated, edge: placement.localSize, groups: channels)
    return addConvolution("\(name).pointwise", local, edge: 1)
  }

  private mutating func addCBAM(_ name: String, _ u: String) -> String {
    let voxels = [2, 3, 4]
    let means = addPerceptron(name, addReduction("ReduceMean", voxels, u, "\(name).means"))
    let maxima = addPerceptron(name, addReduction("ReduceMax", voxels, u, "\(name).maxima"))
    let sum = graph.add("Add", [means, maxima], as: "\(name).sum")
    let channelGate = graph.add("Sigmoid", [sum], as: "\(name).channelGate")
    let gated = graph.add("Mul", [u, channelGate], as: "\(name).gated")
    let peaks = graph.add(
      "Concat",
      [
        addReduction("ReduceMean", [1], gated, "\(name).mean"),
        addReduction("ReduceMax", [1], gated, "\(name).maximum"),
      ], as: "\(name).peaks", [.int("axis", 1)])
    let spatial = addConvolution("\(name).spatial", peaks, edge: 7)
    let spatialGate = graph.add("Sigmoid", [spatial], as: "\(name).spatialGate")
    return graph.add("Mul", [gated, spatialGate], as: name)
  }

  private mutating func addReduction(
    _ operation: String, _ axes: [Int], _ x: String, _ name: String
  ) -> String {
    graph.add(operation, [x], as: name, [.ints("axes", axes), .int("keepdims", 1)])
  }

  /// expand(max(0, reduce(x))) of one value a channel, as convolutions of a single voxel.
  private mutating func addPerceptron(_ name: String, _ x: String) -> String {
    let reduced = graph.add("Conv", [x] + linear("\(name).reduce"), as: "\(x).reduced")
    let positive = graph.add("Relu", [reduced], as: "\(x).positive")
    return graph.add("Conv", [positive] + linear("\(name).expand"), as: "\(x).expanded")
  }

  /// The parameters of a linear layer as those of a 1^3 convolution; both ways share them.
  private mutating func linear(_ layer: String) -> [String] {
    let names = ["\(layer).weight", "\(layer).bias"]
    if graph.proto.initializer.contains(where: { $0.name == names[0] }) { return names }
    return [add(names[0]) { $0 + [1, 1, 1] }, add(names[1]) { $0 }]
  }
}
