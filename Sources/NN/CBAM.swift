import Kernels
import Tensors

/// The convolutional block attention module in 3-D (Woo et al. 2018), in the place of large-kernel
/// attention: a gate for every channel, from a shared perceptron (ratio 16) of its mean and maximum,
/// then one for every voxel, from a 7^3 convolution of the mean and maximum over channels.
package struct CBAM {
  /// Edge of the spatial gate's kernel.
  static let kernelSize = 7
  /// Channels of the perceptron's hidden layer.
  static func hidden(channels: Int) -> Int { max(1, channels / 16) }

  private let name: String
  private let perceptron: Perceptron
  private let spatial: LayerParameters
  private var kept: Kept?

  private struct Kept {
    let peaks: ChannelPeaks
    let channelGate: [Float]
    let gated: FeatureMap
    let voxelPeaks: VoxelPeaks
    let spatialGate: VoxelGrid
  }

  /// The module called `name`.
  package init(_ name: String, in store: ParameterStore) {
    self.name = name
    perceptron = Perceptron(
      reduce: store.weights(of: "\(name).reduce"), expand: store.weights(of: "\(name).expand"))
    spatial = store.weights(of: "\(name).spatial")
  }

  /// The attended map, of u's shape.
  package mutating func forward(_ u: FeatureMap, keeping: Bool, on compute: Compute) -> FeatureMap {
    compute.measure(name, .forward) {
      let peaks = ChannelPeaks(of: u, on: compute)
      let gate = perceptron.gate(peaks)
      let gated = ChannelGate.forward(u, gate: gate, on: compute)
      let voxelPeaks = VoxelPeaks(of: gated, on: compute)
      let spatialGate = PlanarConvolution.forward(
        voxelPeaks.grid, weight: spatial.weight, bias: spatial.bias, kernelSize: Self.kernelSize,
        on: compute)
      kept =
        keeping
        ? Kept(
          peaks: peaks, channelGate: gate, gated: gated, voxelPeaks: voxelPeaks,
          spatialGate: spatialGate) : nil
      return SpatialGate.forward(gated, gate: spatialGate, on: compute)
    }
  }

  /// The last forward's output for the same `u`, computed again.
  package func output(_ u: FeatureMap, on compute: Compute) -> FeatureMap {
    let kept = cache()
    return compute.measure(name, .recompute) {
      SpatialGate.forward(kept.gated, gate: kept.spatialGate, on: compute)
    }
  }

  /// Adds all parameters' gradients, lets go of the cache and turns the gradient of the output into that
  /// of `u`.
  package mutating func backward<E: Error>(
    _ gradient: inout FeatureMap, input u: FeatureMap, on compute: Compute,
    final isFinal: (Int) throws(E) -> Void
  ) throws(E) {
    let kept = cache()
    self.kept = nil
    let dGated = compute.measure(name, .inputGradient) {
      spatialBackward(gradient, kept, on: compute)
    }
    try isFinal(spatial.offset)
    gradient = compute.measure(name, .inputGradient) {
      channelBackward(dGated, u, kept, on: compute)
    }
    try isFinal(perceptron.offset)
  }

  private func spatialBackward(
    _ dy: FeatureMap, _ kept: Kept, on compute: Compute
  ) -> FeatureMap {
    var (dGated, da) = SpatialGate.backward(
      dy, kept.gated, gate: kept.spatialGate, on: compute)
    PlanarConvolution.weightGradient(
      kept.voxelPeaks.grid, da, weight: spatial.weightGradient, bias: spatial.biasGradient,
      kernelSize: Self.kernelSize, on: compute)
    let dPeaks = PlanarConvolution.inputGradient(
      da, weight: spatial.weight, inputs: 2, kernelSize: Self.kernelSize, on: compute)
    SpatialGate.addPeaks(dPeaks, of: kept.voxelPeaks, to: &dGated, on: compute)
    return dGated
  }

  private func channelBackward(
    _ dGated: FeatureMap, _ u: FeatureMap, _ kept: Kept, on compute: Compute
  ) -> FeatureMap {
    var (du, dGate) = ChannelGate.backward(dGated, u, gate: kept.channelGate, on: compute)
    let (dMeans, dMaxima) = perceptron.backward(dGate, gate: kept.channelGate, kept.peaks)
    ChannelGate.addPeaks(
      means: dMeans, maxima: dMaxima, of: kept.peaks, to: &du, on: compute)
    return du
  }

  private func cache() -> Kept {
    guard let kept else { preconditionFailure("backward without a forward that kept its maps") }
    return kept
  }
}

/// Two layers that means and maxima go through alike: gate = sigmoid(mlp(means) + mlp(maxima)), where
/// mlp(v) = expand(max(0, reduce(v))).
private struct Perceptron {
  let reduce: LayerParameters
  let expand: LayerParameters

  /// Where it begins in the flat block.
  var offset: Int { reduce.offset }
  private var hidden: Int { reduce.bias.count }

  func gate(_ peaks: ChannelPeaks) -> [Float] {
    ChannelGate.sigmoids(zip(output(peaks.means), output(peaks.maxima)).map { $0 + $1 })
  }

  private func output(_ v: [Float]) -> [Float] {
    Self.product(
      expand.weight, Self.product(reduce.weight, v, reduce.bias).map { max(0, $0) }, expand.bias)
  }

  /// Adds the parameters' gradients; those of means and maxima.
  func backward(
    _ dGate: [Float], gate: [Float], _ peaks: ChannelPeaks
  ) -> (dMeans: [Float], dMaxima: [Float]) {
    let dz = zip(dGate, gate).map { $0 * $1 * (1 - $1) }
    return (backward(dz, peaks.means), backward(dz, peaks.maxima))
  }

  /// One way through: adds the parameters' gradients and returns that of `v`.
  private func backward(_ dz: [Float], _ v: [Float]) -> [Float] {
    let h = Self.product(reduce.weight, v, reduce.bias)
    Self.addOuter(dz, h.map { max(0, $0) }, expand)
    let dh = zip(Self.transposed(expand.weight, dz, columns: hidden), h).map { $1 > 0 ? $0 : 0 }
    Self.addOuter(dh, v, reduce)
    return Self.transposed(reduce.weight, dh, columns: v.count)
  }

  /// W v + b.
  private static func product(_ weight: FloatSlice, _ v: [Float], _ bias: FloatSlice) -> [Float] {
    bias.values.enumerated().map { row, bias in
      v.indices.reduce(bias) { $0 + weight.values[row * v.count + $1] * v[$1] }
    }
  }

  /// W^T d.
  private static func transposed(_ weight: FloatSlice, _ d: [Float], columns: Int) -> [Float] {
    (0..<columns).map { column in
      d.indices.reduce(Float(0)) { $0 + weight.values[$1 * columns + column] * d[$1] }
    }
  }

  /// Adds d v^T to the gradient of the weight, and d to that of the bias.
  private static func addOuter(_ d: [Float], _ v: [Float], _ layer: LayerParameters) {
    let (weight, bias) = (layer.weightGradient.mutableValues, layer.biasGradient.mutableValues)
    for row in d.indices {
      bias[row] += d[row]
      for column in v.indices { weight[row * v.count + column] += d[row] * v[column] }
    }
  }
}
