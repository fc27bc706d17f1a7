/// The network's modules, made from a configuration and tied to their parameters.
extension ModelConfiguration {
  /// One block a scale, finest first.
  package func makeEncoder(_ settings: NormSettings, in store: ParameterStore) -> [Block] {
    (0..<scales).map { scale in
      let outputs = channels(atScale: scale)
      return Block(
        "encoder.\(scale)", inputs: scale == 0 ? inputs : outputs, outputs: outputs, settings,
        in: store)
    }
  }

  /// The stride-2 convolution from each scale to the next, which also raises the channels.
  package func makeDown(in store: ParameterStore) -> [Convolution] {
    (0..<scales - 1).map { scale in
      Convolution(
        "down.\(scale)", .dense(kernelSize: 3, stride: 2), inputs: channels(atScale: scale),
        outputs: channels(atScale: scale + 1), in: store)
    }
  }

  /// The decoder's stages, finest first.
  package func makeDecoder(_ settings: NormSettings, in store: ParameterStore) -> [DecoderStage] {
    (0..<scales - 1).map { scale in
      DecoderStage(
        "decoder.\(scale)", inputs: channels(atScale: scale + 1),
        channels: channels(atScale: scale), attention: attention(atScale: scale), settings,
        in: store)
    }
  }

  /// The heads, finest first.
  package func makeHeads(in store: ParameterStore) -> [OutputHead] {
    (0..<heads).map { scale in
      OutputHead(
        "head.\(scale)", inputs: channels(atScale: scale), outputs: outputs, in: store)
    }
  }
}
