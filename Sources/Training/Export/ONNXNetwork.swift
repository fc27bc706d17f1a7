import NN
import Protobuf
import Tensors

/// The network as an ONNX graph: nodes under the names of the layers, weights under their own.
struct ONNXNetwork {
  var graph: ONNXGraph
  let model: ModelConfiguration
  private let store: ParameterStore
  private let slope: Float = 0.01

  /// The graph of a network from `image` to `logits`, and to `attention_<scale>` where wanted.
  init(_ network: LKUNet, name: String, givesAttention: Bool) {
    graph = ONNXGraph(name: name)
    model = network.configuration
    store = network.parameters
    let multiple = "multiples of \(model.patchMultiple)"
    graph.addInput(
      "image", [.fixed(1), .fixed(model.inputs), .free("D"), .free("H"), .free("W")],
      note: "the prepared image; D, H, W are z, y, x, \(multiple)")
    addNetwork()
    graph.addOutput(
      "logits", [.fixed(1), .fixed(model.outputs), .free("D"), .free("H"), .free("W")],
      note: "of the finest head, without activation")
    guard givesAttention else { return }
    for scale in attentionScales {
      let axes = ["D", "H", "W"].map { ONNXSize.free(scale == 0 ? $0 : "\($0)/\(1 << scale)") }
      graph.addOutput(
        "attention_\(scale)", [.fixed(1), .fixed(model.channels(atScale: scale))] + axes,
        note: "the attention of decoder stage \(scale), 0 to 1")
    }
  }

  private var attentionScales: [Int] {
    // CBAM has two gates, neither of which is a map of its input's shape.
    (0..<model.scales - 1).filter { model.attention(atScale: $0).map { $0.kind != .cbam } ?? false }
  }

  private mutating func addNetwork() {
    var x = "image"
    var skips: [String] = []
    for scale in 0..<model.scales {
      if scale > 0 {
        x = addConvolution("down.\(scale - 1)", x, edge: 3, stride: 2)
      }
      x = addBlock("encoder.\(scale)", x)
      skips.append(x)
    }
    for scale in (0..<model.scales - 1).reversed() {
      x = addStage(scale, x, skip: skips[scale])
    }
    _ = addConvolution("head.0", x, edge: 1, as: "logits")
  }

  private mutating func addStage(_ scale: Int, _ x: String, skip: String) -> String {
    let name = "decoder.\(scale)"
    let raised = graph.add(
      "ConvTranspose", [x] + parameters("\(name).up"), as: "\(name).up",
      [
        .ints("kernel_shape", [4, 4, 4]), .ints("strides", [2, 2, 2]),
        .ints("pads", Self.padding(2)),
      ])
    var u = addNorm("\(name).upnorm", raised)
    if let placement = model.attention(atScale: scale) {
      u = addAttention("\(name).attention", placement, u)
    }
    let joined = graph.add("Concat", [u, skip], as: "\(name).joined", [.int("axis", 1)])
    return addBlock("\(name).block", joined)
  }

  private mutating func addBlock(_ name: String, _ x: String) -> String {
    let first = addNorm("\(name).norm1", addConvolution("\(name).conv1", x, edge: 3))
    return addNorm("\(name).norm2", addConvolution("\(name).conv2", first, edge: 3))
  }

  /// A convolution whose padding keeps the size, or halves it with stride 2.
  mutating func addConvolution(
    _ name: String, _ x: String, edge: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1,
    as output: String? = nil
  ) -> String {
    graph.add(
      "Conv", [x] + parameters(name), as: output ?? name,
      [
        .ints("kernel_shape", [edge, edge, edge]), .ints("strides", [stride, stride, stride]),
        .ints("pads", Self.padding(dilation * (edge - 1))),
        .ints("dilations", [dilation, dilation, dilation]), .int("group", groups),
      ])
  }

  /// Group norm and leaky ReLU. Opset 17 has no group norm: it is the instance norm of groups laid out
  /// as channels, then a weight and a bias for each channel.
  private mutating func addNorm(_ name: String, _ x: String) -> String {
    let constants = addNormConstants()
    let rows = graph.add("Reshape", [x, constants.shape], as: "\(name).groups")
    let normal = graph.add(
      "InstanceNormalization", [rows, constants.ones, constants.zeros], as: "\(name).normal",
      [.float("epsilon", 1e-5)])
    let shape = graph.add("Shape", [x], as: "\(name).shape")
    let map = graph.add("Reshape", [normal, shape], as: "\(name).map")
    let (weight, bias) = (perChannel("\(name).weight"), perChannel("\(name).bias"))
    let scaled = graph.add("Mul", [map, weight], as: "\(name).scaled")
    let shifted = graph.add("Add", [scaled, bias], as: name)
    return graph.add("LeakyRelu", [shifted], as: "\(name).activated", [.float("alpha", slope)])
  }

  /// What all norms read; made by the first.
  private mutating func addNormConstants() -> (shape: String, ones: String, zeros: String) {
    let names = (shape: "groups.shape", ones: "groups.ones", zeros: "groups.zeros")
    guard !graph.proto.initializer.contains(where: { $0.name == names.shape }) else {
      return names
    }
    let groups = model.groups
    _ = graph.add([0, Int64(groups), -1], as: names.shape)
    _ = graph.add([Float](repeating: 1, count: groups), as: names.ones)
    _ = graph.add([Float](repeating: 0, count: groups), as: names.zeros)
    return names
  }

  mutating func parameters(_ layer: String) -> [String] {
    [add("\(layer).weight") { $0 }, add("\(layer).bias") { $0 }]
  }

  /// A parameter of a norm, laid out so that it is spread over the voxels.
  private mutating func perChannel(_ name: String) -> String { add(name) { $0 + [1, 1, 1] } }

  mutating func add(_ name: String, _ shape: ([Int]) -> [Int]) -> String {
    guard let parameter = store.parameter(name) else {
      preconditionFailure("no parameter \(name)")
    }
    return graph.add(store.values(of: parameter), shape: shape(parameter.shape), as: name)
  }

  /// The voxels that are padded before and after each of three axes, the smaller half before.
  private static func padding(_ voxels: Int) -> [Int] {
    let before = voxels / 2
    return [before, before, before] + Array(repeating: voxels - before, count: 3)
  }
}
