import CKernels
import Tensors

/// A depthwise k^3 convolution (odd k) of any dilation with 'same' zero padding;
/// weights [C][1][k][k][k].
package enum DepthwiseConvolution {
  /// Planes of an item: each reads kernelSize - 1 more. Twice as many fill a core's cache of 512 KiB.
  private static let planes = 8

  /// y[c, p] = bias[c] + sum over t of weight[c, t] x[c, p + (t - k / 2) * dilation].
  package static func forward(
    _ x: FeatureMap, weight: FloatSlice, bias: FloatSlice, kernelSize: Int, dilation: Int,
    on compute: Compute
  ) -> FeatureMap {
    precondition(
      bias.count == x.shape.channels, "\(bias.count) biases for \(x.shape.channels) channels")
    return run(
      x, weight: weight, bias: bias, kernelSize: kernelSize, dilation: dilation, flipped: false,
      on: compute)
  }

  /// The gradient of the input: the same convolution with the weights flipped.
  package static func inputGradient(
    _ dy: FeatureMap, weight: FloatSlice, kernelSize: Int, dilation: Int, on compute: Compute
  ) -> FeatureMap {
    run(
      dy, weight: weight, bias: nil, kernelSize: kernelSize, dilation: dilation, flipped: true,
      on: compute)
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: FeatureMap, _ dy: FeatureMap, weight dw: FloatSlice, bias db: FloatSlice,
    kernelSize k: Int, dilation: Int, on compute: Compute
  ) {
    check(x.shape, weight: dw, kernelSize: k)
    precondition(x.shape == dy.shape, "an input of \(x.shape) and a gradient of \(dy.shape)")
    compute.note(multiplyAdds: Double(x.shape.count * k * k * k))
    let parts = Self.parts(of: x.shape.extent, kernelSize: k, dilation: dilation)
    let sums = PartialLaneSums(
      count: k * k * k, parts: parts.count, channels: x.shape.channels, on: compute)
    forEach(parts, of: x, on: compute) { block, part, planes, scratch in
      lk_depthwise_weights(
        planes, x.pointer + block * x.blockStride, dy.pointer + block * dy.blockStride, scratch,
        sums.pointer(part: part, block: block))
    }
    compute.team.parallelFor(x.shape.channels) { channel, _ in
      for tap in 0..<k * k * k {
        dw.pointer[channel * k * k * k + tap] += Float(sums.total(tap, channel: channel))
      }
    }
    LaneSums.addBiasGradient(dy, to: db, on: compute)
  }

  private static func run(
    _ x: FeatureMap, weight: FloatSlice, bias: FloatSlice?, kernelSize: Int, dilation: Int,
    flipped: Bool, on compute: Compute
  ) -> FeatureMap {
    check(x.shape, weight: weight, kernelSize: kernelSize)
    let taps = kernelSize * kernelSize * kernelSize
    compute.note(multiplyAdds: Double(x.shape.count * taps))
    let weights = pack(weight, taps: taps, flipped: flipped, on: compute)
    var map = FeatureMap(uninitialized: x.shape, from: compute.pool)
    let out = map.mutablePointer()
    let parts = parts(of: x.shape.extent, kernelSize: kernelSize, dilation: dilation)
    forEach(parts, of: x, on: compute) { block, _, planes, scratch in
      let start = block * x.blockStride
      lk_depthwise(
        planes, x.pointer + start, weights.pointer + block * taps * 16,
        bias.map { UnsafePointer($0.pointer + block * 16) }, scratch, out + start)
    }
    return map
  }

  /// All planes, those of a part `dilation` apart so that they read the same samples. Sums over the
  /// parts depend on this cut, so it does not look at the threads.
  private static func parts(
    of extent: Extent, kernelSize: Int, dilation: Int
  ) -> [lk_planes] {
    (0..<min(dilation, extent.depth)).flatMap { phase in
      let count = (extent.depth - phase + dilation - 1) / dilation
      let parts = (count + planes - 1) / planes
      return (0..<parts).map { part in
        let (start, end) = (part * count / parts, (part + 1) * count / parts)
        return lk_planes(
          extent: (extent.depth, extent.height, extent.width), kernel: kernelSize,
          dilation: dilation, first: phase + start * dilation, count: end - start)
      }
    }
  }

  /// Hands over each part of each block, and memory to work in.
  private static func forEach(
    _ parts: [lk_planes], of x: FeatureMap, on compute: Compute,
    _ body: (
      _ block: Int, _ part: Int, _ planes: UnsafePointer<lk_planes>,
      _ scratch: UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let floats = parts.map { lk_depthwise_scratch($0.kernel, $0.count) }.max() ?? 0
    let scratch = compute.pool.take(compute.team.threads * floats)
    compute.team.parallelFor(x.blocks * parts.count) { item, thread in
      let (block, part) = item.quotientAndRemainder(dividingBy: parts.count)
      withUnsafePointer(to: parts[part]) {
        body(block, part, $0, scratch.pointer + thread * floats)
      }
    }
  }

  // [block][tap][16]
  private static func pack(
    _ weight: FloatSlice, taps: Int, flipped: Bool, on compute: Compute
  ) -> FloatBuffer {
    let packed = compute.pool.take(weight.count)
    let order = flipped ? Array((0..<taps).reversed()) : Array(0..<taps)
    for block in 0..<weight.count / taps / 16 {
      let start = block * taps * 16
      lk_pack(weight.pointer + start, taps, order, taps, packed.pointer + start, 16)
    }
    return packed
  }

  private static func check(_ shape: Shape, weight: FloatSlice, kernelSize: Int) {
    precondition(kernelSize % 2 == 1, "a kernel of even size \(kernelSize)")
    precondition(
      weight.count == shape.channels * kernelSize * kernelSize * kernelSize,
      "\(weight.count) weights for \(kernelSize)^3 kernels of \(shape.channels) channels")
  }
}
