import Tensors

/// A 1^3 convolution from a feature map to planar logits; weights [O][C].
package enum Head {
  /// Voxels of one product.
  private static let run = 4096

  /// z[o, p] = bias[o] + sum over c of weight[o, c] x[c, p].
  package static func forward(
    _ x: FeatureMap, weight: FloatSlice, bias: FloatSlice, outputs: Int, on compute: Compute
  ) -> VoxelGrid {
    check(x.shape.channels, weight: weight, outputs: outputs)
    precondition(bias.count == outputs, "\(bias.count) biases for \(outputs) outputs")
    let voxels = x.shape.extent.voxels
    let channels = x.shape.channels
    compute.note(multiplyAdds: Double(x.shape.count * outputs))
    var logits = VoxelGrid(
      uninitialized: Shape(channels: outputs, extent: x.shape.extent), from: compute.pool)
    guard let out = logits.mutableValues().baseAddress else { return logits }
    forEachRun(voxels, on: compute) { start, count in
      for output in 0..<outputs {
        (out + output * voxels + start).update(repeating: bias.values[output], count: count)
      }
      for block in 0..<x.blocks {
        MatrixProduct(rows: outputs, columns: count, depth: 16, transposeB: true)(
          weight.pointer + block * 16, pitch: channels,
          x.pointer + block * x.blockStride + start * 16, pitch: 16, into: out + start,
          pitch: voxels, accumulate: true)
      }
    }
    return logits
  }

  /// dx[c, p] = sum over o of weight[o, c] dz[o, p].
  package static func inputGradient(
    _ dz: VoxelGrid, weight: FloatSlice, inputs: Int, on compute: Compute
  ) -> FeatureMap {
    let outputs = dz.shape.channels
    check(inputs, weight: weight, outputs: outputs)
    let voxels = dz.shape.extent.voxels
    var map = FeatureMap(
      uninitialized: Shape(channels: inputs, extent: dz.shape.extent), from: compute.pool)
    let (blocks, blockStride) = (map.blocks, map.blockStride)
    let out = map.mutablePointer()
    guard let source = dz.values.baseAddress else { return map }
    compute.note(multiplyAdds: Double(map.shape.count * outputs))
    forEachRun(voxels, on: compute) { start, count in
      for block in 0..<blocks {
        MatrixProduct(rows: count, columns: 16, depth: outputs, transposeA: true)(
          source + start, pitch: voxels, weight.pointer + block * 16, pitch: inputs,
          into: out + block * blockStride + start * 16, pitch: 16, accumulate: false)
      }
    }
    return map
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: FeatureMap, _ dz: VoxelGrid, weight dw: FloatSlice, bias db: FloatSlice,
    on compute: Compute
  ) {
    let (outputs, voxels) = (dz.shape.channels, dz.shape.extent.voxels)
    check(x.shape.channels, weight: dw, outputs: outputs)
    precondition(x.shape.extent == dz.shape.extent, "maps of \(x.shape) and \(dz.shape)")
    guard let source = dz.values.baseAddress else { return }
    compute.note(multiplyAdds: Double(x.shape.count * outputs))
    compute.team.parallelFor(x.blocks) { block, _ in
      for start in stride(from: 0, to: voxels, by: run) {
        MatrixProduct(
          rows: outputs, columns: 16, depth: min(run, voxels - start))(
            source + start, pitch: voxels, x.pointer + block * x.blockStride + start * 16,
            pitch: 16, into: dw.pointer + block * 16, pitch: x.shape.channels, accumulate: true)
      }
    }
    compute.team.parallelFor(outputs) { output, _ in
      db.pointer[output] += Float(dz.channel(output).reduce(0.0) { $0 + Double($1) })
    }
  }

  private static func check(_ inputs: Int, weight: FloatSlice, outputs: Int) {
    precondition(
      weight.count == inputs * outputs, "\(weight.count) weights for \(outputs) x \(inputs)")
  }

  private static func forEachRun(
    _ voxels: Int, on compute: Compute, _ body: (_ start: Int, _ count: Int) -> Void
  ) {
    compute.team.forChunks(of: voxels, length: run) { _, range in
      body(range.lowerBound, range.count)
    }
  }
}
