import Tensors

/// One convolution of a network at work on a patch.
package struct CataloguedConvolution: Sendable {
  package let name: String
  package let kind: Convolution.Kind
  /// Channels and extent of what it reads; for a block that reads a skip, of both maps.
  package let input: Shape
  package let output: Shape
  /// Whether it reads the image, not a feature map.
  package let readsImage: Bool

  /// Multiplications and additions of one pass, computed directly; each pass has as many.
  package var flops: Double {
    switch kind {
    case .dense(let size, _):
      2 * Double(size * size * size * input.channels) * Double(output.count)
    case .transposed: 2 * 64 * Double(output.channels) * Double(input.count)
    case .depthwise(let size, _): 2 * Double(size * size * size) * Double(output.count)
    }
  }
}

extension ModelConfiguration {
  /// Multiplications and additions of each layer's forward pass on a patch of `extent`, computed directly:
  /// convolutions, heads and what large-kernel attention is compared with.
  package func directOperations(on extent: Extent) -> [(name: String, operations: Double)] {
    func operations(_ scale: Int, perVoxel: Int) -> Double {
      2 * Double(perVoxel) * Double(extent.map { $0 >> scale }.voxels)
    }
    func cube(_ edge: Int) -> Int { edge * edge * edge }
    let others = attention.compactMap { placement -> (name: String, operations: Double)? in
      let (scale, own) = (placement.scale, channels(atScale: placement.scale))
      let perVoxel: Int
      switch placement.kind {
      case .decomposed: return nil
      case .whole: perVoxel = own * own * cube(placement.kernelSize)
      case .cbam: perVoxel = 2 * cube(CBAM.kernelSize)
      }
      return ("decoder.\(scale).attention", operations(scale, perVoxel: perVoxel))
    }
    let heads = (0..<heads).map { scale in
      (
        name: "head.\(scale)",
        operations: operations(scale, perVoxel: channels(atScale: scale) * outputs)
      )
    }
    return convolutions(on: extent).map { ($0.name, $0.flops) } + others + heads
  }

  /// The convolutions of the network on a patch of `extent`, but the heads and what large-kernel
  /// attention is compared with, in forward order.
  package func convolutions(on extent: Extent) -> [CataloguedConvolution] {
    var catalogue = Catalogue(extent: extent)
    for scale in 0..<scales {
      let own = channels(atScale: scale)
      if scale > 0 {
        catalogue.add(
          "down.\(scale - 1)", .dense(kernelSize: 3, stride: 2),
          inputs: channels(atScale: scale - 1), outputs: own, scale: scale - 1)
      }
      catalogue.addBlock("encoder.\(scale)", inputs: scale == 0 ? inputs : own, outputs: own, scale)
    }
    for scale in (0..<scales - 1).reversed() {
      let (name, own) = ("decoder.\(scale)", channels(atScale: scale))
      catalogue.add(
        "\(name).up", .transposed, inputs: channels(atScale: scale + 1), outputs: own,
        scale: scale + 1)
      if let placement = attention(atScale: scale), placement.kind == .decomposed {
        catalogue.addAttention("\(name).attention", placement, channels: own)
      }
      catalogue.addBlock("\(name).block", inputs: 2 * own, outputs: own, scale)
    }
    return catalogue.convolutions
  }
}

private struct Catalogue {
  let extent: Extent
  private(set) var convolutions: [CataloguedConvolution] = []

  init(extent: Extent) { self.extent = extent }

  mutating func add(
    _ name: String, _ kind: Convolution.Kind, inputs: Int, outputs: Int, scale: Int
  ) {
    let read = extent.map { $0 >> scale }
    let written =
      switch kind {
      case .dense(_, let stride): read.map { ($0 + stride - 1) / stride }
      case .transposed: read.map { $0 * 2 }
      case .depthwise: read
      }
    convolutions.append(
      CataloguedConvolution(
        name: name, kind: kind, input: Shape(channels: inputs, extent: read),
        output: Shape(channels: outputs, extent: written), readsImage: convolutions.isEmpty))
  }

  mutating func addBlock(_ name: String, inputs: Int, outputs: Int, _ scale: Int) {
    let dense = Convolution.Kind.dense(kernelSize: 3, stride: 1)
    add("\(name).conv1", dense, inputs: inputs, outputs: outputs, scale: scale)
    add("\(name).conv2", dense, inputs: outputs, outputs: outputs, scale: scale)
  }

  mutating func addAttention(_ name: String, _ placement: AttentionPlacement, channels: Int) {
    for (part, kind) in [
      ("dilated", .depthwise(kernelSize: placement.dilatedSize, dilation: placement.dilation)),
      ("local", .depthwise(kernelSize: placement.localSize, dilation: 1)),
      ("pointwise", .dense(kernelSize: 1, stride: 1)),
    ] as [(String, Convolution.Kind)] {
      add(
        "\(name).\(part)", kind, inputs: channels, outputs: channels, scale: placement.scale)
    }
  }
}
