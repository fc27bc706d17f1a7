import CKernels
import Tensors

/// A depthwise k^3 convolution (odd k) of any dilation with 'same' zero padding;
/// weights [C][1][k][k][k].
package enum DepthwiseConvolution {
  /// Planes of an item of the weight gradient; its sums depend on it.
  private static let planes = 4

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
    let width = k * k * k * 16
    let depth = x.shape.extent.depth
    let runs = (depth + planes - 1) / planes
    let sums = PartialLaneSums(
      count: k * k * k, parts: runs, channels: x.shape.channels, on: compute)
    let scratch = compute.pool.take(compute.team.threads * width)
    PaddedRows.forEach(of: x, kernelSize: k, dilation: dilation, on: compute) { padded in
      compute.team.parallelFor(padded.blocks.count * runs) { item, thread in
        let (index, run) = item.quotientAndRemainder(dividingBy: runs)
        let block = padded.blocks.lowerBound + index
        for z in run * planes..<min((run + 1) * planes, depth) {
          lk_depthwise_weights(
            padded.rows(block), padded.pitch, x.shape.extent.zyx, k, dilation,
            dy.pointer + block * dy.blockStride, z, scratch.pointer + thread * width,
            sums.pointer(part: run, block: block))
        }
      }
    }
    for channel in 0..<x.shape.channels {
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
    let extent = x.shape.extent
    let taps = kernelSize * kernelSize * kernelSize
    let weights = pack(weight, taps: taps, flipped: flipped, on: compute)
    var map = FeatureMap(uninitialized: x.shape, from: compute.pool)
    let out = map.mutablePointer()
    PaddedRows.forEach(of: x, kernelSize: kernelSize, dilation: dilation, on: compute) { padded in
      compute.team.parallelFor(padded.blocks.count * extent.depth) { item, _ in
        let (index, z) = item.quotientAndRemainder(dividingBy: extent.depth)
        let block = padded.blocks.lowerBound + index
        lk_depthwise(
          padded.rows(block), padded.pitch, extent.zyx, kernelSize, dilation,
          weights.pointer + block * taps * 16,
          bias.map { UnsafePointer($0.pointer + block * 16) }, z, out + block * x.blockStride)
      }
    }
    return map
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

/// Some blocks of a map, whose rows have zeros before and after them, so that taps along x need no test.
private struct PaddedRows {
  let blocks: Range<Int>
  /// Voxels from one row to the next.
  let pitch: Int
  private let start: UnsafeMutablePointer<Float>
  private let blockFloats: Int

  /// Bytes that are padded at once: enough work for all threads, little beside the maps themselves.
  private static let bytes = 64 << 20

  /// Hands over all blocks of a map, as many at a time as make a bounded copy.
  static func forEach(
    of x: FeatureMap, kernelSize: Int, dilation: Int, on compute: Compute,
    _ body: (PaddedRows) -> Void
  ) {
    let extent = x.shape.extent
    let zeros = dilation * (kernelSize / 2)
    let pitch = extent.width + 2 * zeros
    let blockFloats = extent.depth * extent.height * pitch * 16
    let most = min(x.blocks, max(1, bytes / 4 / blockFloats))
    // The last run of a row goes on past it.
    let slack = lk_depthwise_run() * dilation * 16
    let buffer = compute.pool.take(most * blockFloats + slack)
    (buffer.pointer + most * blockFloats).update(repeating: 0, count: slack)
    for first in stride(from: 0, to: x.blocks, by: most) {
      let blocks = first..<min(first + most, x.blocks)
      let (start, plane) = (buffer.pointer, extent.height * pitch * 16)
      compute.team.parallelFor(blocks.count * extent.depth) { item, _ in
        lk_pad_rows(
          x.pointer + (first * extent.depth + item) * extent.height * extent.width * 16,
          extent.height, extent.width, zeros, zeros, start + item * plane)
      }
      body(PaddedRows(blocks: blocks, pitch: pitch, start: start, blockFloats: blockFloats))
    }
  }

  func rows(_ block: Int) -> UnsafePointer<Float> {
    UnsafePointer(start + (block - blocks.lowerBound) * blockFloats)
  }
}
