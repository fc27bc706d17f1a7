import CKernels
import Tensors

/// Where a dense weight of PyTorch's layout keeps the value of an input, output and tap.
struct WeightLayout {
  var inputs: Int
  var outputs: Int
  var taps: Int
  /// Whether the outputs of the sweep are the slow axis: [output][input][tap], else [input][output][tap].
  var outputsFirst: Bool

  var inputStride: Int { outputsFirst ? taps : outputs * taps }
  var outputStride: Int { outputsFirst ? inputs * taps : taps }
  var count: Int { inputs * outputs * taps }

  /// Checks that `slice` holds as many values as the layout.
  func check(_ slice: FloatSlice) {
    precondition(
      slice.count == count,
      "a weight of \(slice.count) values where \(outputs) x \(inputs) x \(taps) are needed")
  }

  /// Checks that maps have as many channels as the layout.
  func check(inputs: Int, outputs: Int) {
    precondition(
      inputs == self.inputs && outputs == self.outputs,
      "maps of \(inputs) and \(outputs) channels for weights of \(self.inputs) and "
        + "\(self.outputs)")
  }
}

/// The weights of sweeps as matrices [tap][input][output], cut into slabs of input channels.
struct SweepWeights {
  let layout: WeightLayout
  let sweeps: [TapSweep]
  let buffer: FloatBuffer
  private let starts: [Int]

  /// Packs the taps of each sweep, in parallel over blocks of inputs and outputs.
  init(_ weight: FloatSlice, layout: WeightLayout, sweeps: [TapSweep], on compute: Compute) {
    layout.check(weight)
    self.layout = layout
    self.sweeps = sweeps
    var starts = [0]
    for sweep in sweeps { starts.append(starts[starts.count - 1] + sweep.taps.count) }
    self.starts = starts.map { $0 * layout.inputs * layout.outputs }
    buffer = compute.pool.take(self.starts[sweeps.count])
    let inputBlocks = layout.inputs / 16
    let outputBlocks = layout.outputs / 16
    compute.team.parallelFor(sweeps.count * inputBlocks * outputBlocks) { [self] item, _ in
      let (pair, sweep) = item.quotientAndRemainder(dividingBy: sweeps.count)
      pack(weight, sweep: sweep, inputBlock: pair / outputBlocks, outputBlock: pair % outputBlocks)
    }
  }

  /// The channel blocks of a slab of `sweep`.
  func slabBlocks(_ sweep: Int) -> Int {
    Tiling.slabBlocks(taps: sweeps[sweep].taps.count, blocks: layout.inputs / 16)
  }

  /// The matrix of the slab of `sweep` that starts at channel block `block`.
  func matrix(_ sweep: Int, block: Int) -> UnsafeMutablePointer<Float> {
    buffer.pointer + starts[sweep] + block * 16 * sweeps[sweep].taps.count * layout.outputs
  }

  private func pack(_ weight: FloatSlice, sweep: Int, inputBlock: Int, outputBlock: Int) {
    let blocks = slabBlocks(sweep)
    let first = inputBlock / blocks * blocks
    let slabInputs = min(blocks, layout.inputs / 16 - first) * 16
    for input in inputBlock * 16..<inputBlock * 16 + 16 {
      let row = (input - first * 16) * layout.outputs + outputBlock * 16
      lk_pack(
        weight.pointer + input * layout.inputStride + outputBlock * 16 * layout.outputStride,
        layout.outputStride, sweeps[sweep].taps, sweeps[sweep].taps.count,
        matrix(sweep, block: first) + row, slabInputs * layout.outputs)
    }
  }
}
