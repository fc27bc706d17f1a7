/// One attention module in the decoder stage at 1/2^`scale` of the input's resolution: large-kernel
/// attention with a `kernelSize`^3 kernel, decomposed with `dilation`, or what it is compared with.
package struct AttentionPlacement: Codable, Hashable, Sendable {
  /// What stands there.
  package enum Kind: String, Codable, Sendable {
    case decomposed
    /// The large kernel before its decomposition; `dilation` does not count.
    case whole
    /// CBAM; neither size nor dilation counts.
    case cbam
  }

  /// The decoder stage, 0 (finest) to scales - 2.
  package var scale: Int
  /// Edge K of the kernel that is decomposed, in voxels of that scale.
  package var kernelSize: Int
  /// Dilation d of the first depthwise convolution; ceil(K / d) must be odd.
  package var dilation: Int
  package var kind: Kind

  package init(scale: Int, kernelSize: Int, dilation: Int, kind: Kind = .decomposed) {
    self.scale = scale
    self.kernelSize = kernelSize
    self.dilation = dilation
    self.kind = kind
  }

  /// Edge of the dilated depthwise kernel, ceil(K / d).
  package var dilatedSize: Int { (kernelSize + dilation - 1) / dilation }

  /// Edge of the local depthwise kernel, 2d - 1.
  package var localSize: Int { 2 * dilation - 1 }
}

/// What a model is made of; together with the parameters it determines every output.
package struct ModelConfiguration: Codable, Hashable, Sendable {
  /// Channels of the image.
  package var inputs: Int
  /// Channels of the logits.
  package var outputs: Int
  /// The attention modules, at most one a scale.
  package var attention: [AttentionPlacement]
  /// Channels of the finest scale; they double with each scale.
  package var channels: Int
  /// The largest number of channels of any scale.
  package var maximumChannels: Int
  /// The number of scales of the encoder, 2 or more.
  package var scales: Int
  /// Groups of every group norm.
  package var groups: Int

  package init(
    inputs: Int, outputs: Int, attention: [AttentionPlacement], channels: Int = 32,
    maximumChannels: Int = 512, scales: Int = 6, groups: Int = 8
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.attention = attention
    self.channels = channels
    self.maximumChannels = maximumChannels
    self.scales = scales
    self.groups = groups
  }

  /// No attention: the base U-Net.
  package static let none: [AttentionPlacement] = []

  /// The paper's Mid variant: one 21^3 module at 1/4, or as low as `scales` allows.
  package static func mid(scales: Int) -> [AttentionPlacement] {
    [AttentionPlacement(scale: max(0, min(2, scales - 2)), kernelSize: 21, dilation: 3)]
  }

  /// CBAM in the place of Mid's module.
  package static func cbam(scales: Int) -> [AttentionPlacement] {
    mid(scales: scales).map {
      AttentionPlacement(scale: $0.scale, kernelSize: 1, dilation: 1, kind: .cbam)
    }
  }

  /// The paper's Full variant: a module in every decoder stage down to 1/16.
  ///
  /// Our choice: kernel sizes 21, 21, 15, 6, 6; the paper gives only their total cost.
  package static func full(scales: Int) -> [AttentionPlacement] {
    let sizes = [(21, 3), (21, 3), (15, 3), (6, 2), (6, 2)]
    return sizes.prefix(max(0, scales - 1)).enumerated().map { scale, size in
      AttentionPlacement(scale: scale, kernelSize: size.0, dilation: size.1)
    }
  }

  /// Channels at 1/2^`scale` of the resolution.
  package func channels(atScale scale: Int) -> Int {
    scale < 40 ? min(maximumChannels, channels << scale) : maximumChannels
  }

  /// The number of deeply supervised outputs: all decoder stages but the lowest.
  package var heads: Int { max(1, scales - 2) }

  /// What every size of a patch must be a multiple of.
  package var patchMultiple: Int { 1 << (scales - 1) }

  /// The attention module of a decoder stage, if it has one.
  package func attention(atScale scale: Int) -> AttentionPlacement? {
    attention.first { $0.scale == scale }
  }
}
