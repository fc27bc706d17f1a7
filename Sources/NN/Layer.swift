import Kernels
import Tensors

/// What a convolution reads: the image, or feature maps whose channels follow each other.
package enum LayerInput {
  case image(VoxelGrid)
  case maps([FeatureMap])
}

/// A convolution of any of the network's kinds; it keeps nothing between calls.
package struct Convolution {
  /// How the kernel is laid over its input.
  package enum Kind: Hashable, Sendable {
    /// Every output channel reads every input channel.
    case dense(kernelSize: Int, stride: Int)
    /// 4^3 with stride 2: doubles the extent.
    case transposed
    /// Every channel on its own.
    case depthwise(kernelSize: Int, dilation: Int)
  }

  package let parameters: LayerParameters
  package let kind: Kind
  package let inputs: Int
  package let outputs: Int
  /// The implementation to use if there are several; nil for the first that accepts the problem.
  package var implementation: DenseImplementation?

  /// The layer called `name`, whose parameters are in `store`.
  package init(_ name: String, _ kind: Kind, inputs: Int, outputs: Int, in store: ParameterStore) {
    parameters = store.weights(of: name)
    self.kind = kind
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The convolution's output, bias included, and its moments where they come for free.
  package func forward(
    _ input: LayerInput, on compute: Compute
  ) -> (map: FeatureMap, moments: ChannelMoments?) {
    compute.measure(parameters.name, .forward) { convolve(input, on: compute) }
  }

  private func convolve(
    _ input: LayerInput, on compute: Compute
  ) -> (map: FeatureMap, moments: ChannelMoments?) {
    let (weight, bias) = (parameters.weight, parameters.bias)
    switch (kind, input) {
    case (.dense, .image(let image)):
      let map = StemConvolution.forward(
        image, weight: weight, bias: bias, outputs: outputs, on: compute)
      return (map, nil)
    case (.dense(let size, let stride), .maps(let maps)):
      return DenseConvolution.forward(
        maps, weight: weight, bias: bias, outputs: outputs, kernelSize: size, stride: stride,
        using: implementation, on: compute)
    case (.transposed, _):
      return TransposedConvolution.forward(
        single(input), weight: weight, bias: bias, outputs: outputs, using: implementation,
        on: compute)
    case (.depthwise(let size, let dilation), _):
      let map = DepthwiseConvolution.forward(
        single(input), weight: weight, bias: bias, kernelSize: size, dilation: dilation,
        on: compute)
      return (map, nil)
    }
  }

  /// Adds the gradients of weight and bias, given the output's gradient and the input.
  package func addGradients(_ dy: FeatureMap, input: LayerInput, on compute: Compute) {
    compute.measure(parameters.name, .weightGradient) {
      correlate(dy, input: input, on: compute)
    }
  }

  private func correlate(_ dy: FeatureMap, input: LayerInput, on compute: Compute) {
    let (dw, db) = (parameters.weightGradient, parameters.biasGradient)
    switch (kind, input) {
    case (.dense, .image(let image)):
      StemConvolution.weightGradient(image, dy, weight: dw, bias: db, on: compute)
    case (.dense(let size, let stride), .maps(let maps)):
      DenseConvolution.weightGradient(
        maps, dy, weight: dw, bias: db, kernelSize: size, stride: stride, using: implementation,
        on: compute)
    case (.transposed, _):
      TransposedConvolution.weightGradient(
        single(input), dy, weight: dw, bias: db, using: implementation, on: compute)
    case (.depthwise(let size, let dilation), _):
      DepthwiseConvolution.weightGradient(
        single(input), dy, weight: dw, bias: db, kernelSize: size, dilation: dilation,
        on: compute)
    }
  }

  /// The gradient of the input, given the output's; its channels are those of all inputs.
  package func inputGradient(_ dy: FeatureMap, on compute: Compute) -> FeatureMap {
    compute.measure(parameters.name, .inputGradient) { transposed(dy, on: compute) }
  }

  private func transposed(_ dy: FeatureMap, on compute: Compute) -> FeatureMap {
    let weight = parameters.weight
    switch kind {
    case .dense(let size, let stride):
      let shape = Shape(channels: inputs, extent: dy.shape.extent.map { $0 * stride })
      return DenseConvolution.inputGradient(
        dy, weight: weight, inputShape: shape, kernelSize: size, stride: stride,
        using: implementation, on: compute)
    case .transposed:
      return TransposedConvolution.inputGradient(
        dy, weight: weight, inputs: inputs, using: implementation, on: compute)
    case .depthwise(let size, let dilation):
      return DepthwiseConvolution.inputGradient(
        dy, weight: weight, kernelSize: size, dilation: dilation, on: compute)
    }
  }

  private func single(_ input: LayerInput) -> FeatureMap {
    guard case .maps(let maps) = input, maps.count == 1, let map = maps.first else {
      preconditionFailure("a \(kind) convolution reads one feature map, not \(input)")
    }
    return map
  }
}

/// Convolution, group norm, leaky ReLU. Between forward and backward it keeps the convolution's
/// output alone; the activation is computed again where it is needed.
package struct NormalizedConvolution {
  private let convolution: Convolution
  private let norm: LayerParameters
  private let settings: NormSettings
  private var kept: (map: FeatureMap, statistics: GroupStatistics)?

  /// A convolution followed by the group norm called `norm`.
  package init(
    _ convolution: Convolution, norm: String, _ settings: NormSettings, in store: ParameterStore
  ) {
    self.convolution = convolution
    self.norm = store.weights(of: norm)
    self.settings = settings
  }

  /// Where the convolution begins in the flat block: it comes before its norm.
  package var offset: Int { convolution.parameters.offset }

  /// The activated output; `keeping` what backward needs or nothing.
  package mutating func forward(
    _ input: consuming LayerInput, keeping: Bool, on compute: Compute
  ) -> FeatureMap {
    prepare(consume input, on: compute)
    let (map, statistics) = cache()
    if !keeping { kept = nil }
    return activated(consume map, statistics, .forward, on: compute)
  }

  /// Keeps what backward and `output` need.
  package mutating func prepare(_ input: consuming LayerInput, on compute: Compute) {
    let (map, moments) = convolution.forward(input, on: compute)
    _ = consume input  // Frees an input that nobody else holds before the next map is made.
    let statistics = compute.measure(norm.name, .forward) {
      GroupNormalization.statistics(
        of: map, moments: moments, groups: settings.groups, on: compute)
    }
    kept = (map, statistics)
  }

  /// The output of the last forward or `prepare`, computed again.
  package func output(on compute: Compute) -> FeatureMap {
    let (map, statistics) = cache()
    return activated(consume map, statistics, .recompute, on: compute)
  }

  // In the map's memory, if it is not kept.
  private func activated(
    _ map: consuming FeatureMap, _ statistics: GroupStatistics, _ phase: Profile.Phase,
    on compute: Compute
  ) -> FeatureMap {
    var output = consume map
    compute.measure(norm.name, phase) {
      GroupNormalization.forward(
        &output, statistics, weight: norm.weight, bias: norm.bias, slope: settings.slope,
        on: compute)
    }
    return output
  }

  /// Adds all parameters' gradients, lets go of the cache and returns the gradient of the
  /// convolution's output, from which `inputGradient` goes on.
  ///
  /// `input` is asked for only when `dy` and the cache are gone: at full resolution every map
  /// that is alive at once counts.
  package mutating func backward(
    _ dy: consuming FeatureMap, input: () -> LayerInput, on compute: Compute
  ) -> FeatureMap {
    let dConvolved = normBackward(consume dy, on: compute)
    convolution.addGradients(dConvolved, input: input(), on: compute)
    return dConvolved
  }

  private mutating func normBackward(
    _ dy: consuming FeatureMap, on compute: Compute
  ) -> FeatureMap {
    let (map, statistics) = cache()
    kept = nil
    var gradient = consume dy
    compute.measure(norm.name, .inputGradient) {
      GroupNormalization.backward(
        &gradient, x: map, statistics: statistics, weight: norm.weight, bias: norm.bias,
        gradient: norm.weightGradient, db: norm.biasGradient, slope: settings.slope, on: compute)
    }
    return gradient
  }

  /// The gradient of the input, given what `backward` returned.
  package func inputGradient(_ dy: FeatureMap, on compute: Compute) -> FeatureMap {
    convolution.inputGradient(dy, on: compute)
  }

  private func cache() -> (map: FeatureMap, statistics: GroupStatistics) {
    guard let kept else { preconditionFailure("backward without a forward that kept its maps") }
    return kept
  }
}

/// What all norms of a network share.
package struct NormSettings {
  /// Groups of channels that are normalized together.
  package let groups: Int
  /// Slope of the leaky ReLU below 0: the paper's 0.01; tests use 1 to take the kink away.
  package let slope: Float

  package init(groups: Int, slope: Float) {
    self.groups = groups
    self.slope = slope
  }
}
