/// The list of a model's parameters in forward order, made without allocating any of them.
extension ModelConfiguration {
  /// Names, shapes and offsets: encoder.0, down.0, encoder.1, …, the deepest decoder stage, …,
  /// decoder.0, each head after its stage.
  package var parameters: [Parameter] {
    var layout = ParameterLayout()
    addEncoder(to: &layout)
    addDecoder(to: &layout)
    return layout.parameters
  }

  /// The number of learnable values.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  private func addEncoder(to layout: inout ParameterLayout) {
    for scale in 0..<scales {
      let outputs = channels(atScale: scale)
      if scale > 0 {
        layout.addConvolution(
          "down.\(scale - 1)", inputs: channels(atScale: scale - 1), outputs: outputs, edge: 3)
      }
      layout.addBlock("encoder.\(scale)", inputs: scale == 0 ? inputs : outputs, outputs: outputs)
    }
  }

  private func addDecoder(to layout: inout ParameterLayout) {
    for scale in (0..<scales - 1).reversed() {
      let (name, own) = ("decoder.\(scale)", channels(atScale: scale))
      layout.addTransposed("\(name).up", inputs: channels(atScale: scale + 1), outputs: own)
      layout.addNorm("\(name).upnorm", channels: own)
      if let placement = attention(atScale: scale) {
        layout.addAttention("\(name).attention", placement, channels: own)
      }
      layout.addBlock("\(name).block", inputs: 2 * own, outputs: own)
      if scale < heads {
        layout.addConvolution("head.\(scale)", inputs: own, outputs: outputs, edge: 1)
      }
    }
  }
}

/// Parameters as they are added one after the other.
private struct ParameterLayout {
  private(set) var parameters: [Parameter] = []
  private var count = 0

  /// A convolution of `inputs` channels per group.
  mutating func addConvolution(_ name: String, inputs: Int, outputs: Int, edge: Int) {
    let fanIn = inputs * edge * edge * edge
    add("\(name).weight", [outputs, inputs, edge, edge, edge], normal(fanIn: fanIn))
    add("\(name).bias", [outputs], .constant(0))
  }

  /// A transposed 4^3 convolution of stride 2: 2^3 of its taps meet in each output voxel.
  mutating func addTransposed(_ name: String, inputs: Int, outputs: Int) {
    add("\(name).weight", [inputs, outputs, 4, 4, 4], normal(fanIn: 8 * inputs))
    add("\(name).bias", [outputs], .constant(0))
  }

  mutating func addNorm(_ name: String, channels: Int) {
    add("\(name).weight", [channels], .constant(1))
    add("\(name).bias", [channels], .constant(0))
  }

  mutating func addBlock(_ name: String, inputs: Int, outputs: Int) {
    addConvolution("\(name).conv1", inputs: inputs, outputs: outputs, edge: 3)
    addNorm("\(name).norm1", channels: outputs)
    addConvolution("\(name).conv2", inputs: outputs, outputs: outputs, edge: 3)
    addNorm("\(name).norm2", channels: outputs)
  }

  mutating func addAttention(_ name: String, _ placement: AttentionPlacement, channels: Int) {
    switch placement.kind {
    case .decomposed:
      addConvolution("\(name).dilated", inputs: 1, outputs: channels, edge: placement.dilatedSize)
      addConvolution("\(name).local", inputs: 1, outputs: channels, edge: placement.localSize)
      addConvolution("\(name).pointwise", inputs: channels, outputs: channels, edge: 1)
    case .whole:
      addConvolution(
        "\(name).full", inputs: channels, outputs: channels, edge: placement.kernelSize)
    case .cbam:
      addLinear("\(name).reduce", inputs: channels, outputs: CBAM.hidden(channels: channels))
      addLinear("\(name).expand", inputs: CBAM.hidden(channels: channels), outputs: channels)
      addConvolution("\(name).spatial", inputs: 2, outputs: 1, edge: CBAM.kernelSize)
    }
  }

  private mutating func addLinear(_ name: String, inputs: Int, outputs: Int) {
    add("\(name).weight", [outputs, inputs], normal(fanIn: inputs))
    add("\(name).bias", [outputs], .constant(0))
  }

  private mutating func add(
    _ name: String, _ shape: [Int], _ initialization: Parameter.Initialization
  ) {
    let parameter = Parameter(
      name: name, shape: shape, offset: count, initialization: initialization)
    parameters.append(parameter)
    count += parameter.count
  }

  /// He et al. 2015 for a leaky ReLU of slope 0.01.
  private func normal(fanIn: Int) -> Parameter.Initialization {
    .normal(deviation: Float((2 / ((1 + 0.01 * 0.01) * Double(fanIn))).squareRoot()))
  }
}
