import Tensors

/// An odd k^3 convolution of a planar grid of few channels to one, zero-padded to the same extent;
/// weights [1][I][k][k][k].
package enum PlanarConvolution {
  /// a[p] = bias + sum over i, t of weight[i, t] x[i, p + t - k / 2].
  package static func forward(
    _ x: VoxelGrid, weight: FloatSlice, bias: FloatSlice, kernelSize: Int, on compute: Compute
  ) -> VoxelGrid {
    let extent = x.shape.extent
    var a = VoxelGrid(zeros: Shape(channels: 1, extent: extent))
    let out = a.mutableValues()
    compute.team.parallelFor(extent.depth) { z, _ in
      let plane = z * extent.height * extent.width
      for index in plane..<plane + extent.height * extent.width { out[index] = bias.values[0] }
      for channel in 0..<x.shape.channels {
        let start = channel * extent.voxels
        forEachRow(z, extent, kernelSize) { tap, to, from, count in
          let factor = weight.values[channel * kernelSize * kernelSize * kernelSize + tap]
          for x0 in 0..<count { out[to + x0] += factor * x.values[start + from + x0] }
        }
      }
    }
    return a
  }

  /// The gradient of the grid, of `inputs` channels.
  package static func inputGradient(
    _ da: VoxelGrid, weight: FloatSlice, inputs: Int, kernelSize: Int, on compute: Compute
  ) -> VoxelGrid {
    let extent = da.shape.extent
    let taps = kernelSize * kernelSize * kernelSize
    var dx = VoxelGrid(zeros: Shape(channels: inputs, extent: extent))
    let out = dx.mutableValues()
    compute.team.parallelFor(inputs * extent.depth) { item, _ in
      let (channel, z) = item.quotientAndRemainder(dividingBy: extent.depth)
      // The transposed kernel is the mirrored one.
      forEachRow(z, extent, kernelSize) { tap, to, from, count in
        let factor = weight.values[channel * taps + taps - 1 - tap]
        for x in 0..<count { out[channel * extent.voxels + to + x] += factor * da.values[from + x] }
      }
    }
    return dx
  }

  /// Adds the gradients of weight and bias to `dw` and `db`.
  package static func weightGradient(
    _ x: VoxelGrid, _ da: VoxelGrid, weight dw: FloatSlice, bias db: FloatSlice, kernelSize: Int,
    on compute: Compute
  ) {
    let extent = x.shape.extent
    let taps = kernelSize * kernelSize * kernelSize
    compute.team.parallelFor(x.shape.channels * taps) { item, _ in
      let (channel, wanted) = item.quotientAndRemainder(dividingBy: taps)
      var sum = 0.0
      for z in 0..<extent.depth {
        forEachRow(z, extent, kernelSize, only: wanted) { _, to, from, count in
          var row: Float = 0
          for x0 in 0..<count {
            row += da.values[to + x0] * x.values[channel * extent.voxels + from + x0]
          }
          sum += Double(row)
        }
      }
      dw.mutableValues[item] += Float(sum)
    }
    db.mutableValues[0] += Float(da.values.reduce(0.0) { $0 + Double($1) })
  }

  /// The rows of plane z that a tap brings together: the first voxel written, the first read, and how
  /// many.
  private static func forEachRow(
    _ z: Int, _ extent: Extent, _ k: Int, only wanted: Int? = nil,
    _ body: (_ tap: Int, _ to: Int, _ from: Int, _ count: Int) -> Void
  ) {
    let taps = wanted.map { $0..<$0 + 1 } ?? 0..<k * k * k
    for tap in taps {
      let (dz, dy, dx) = (tap / (k * k) - k / 2, tap / k % k - k / 2, tap % k - k / 2)
      let (first, end) = (max(0, -dx), min(extent.width, extent.width - dx))
      guard (0..<extent.depth).contains(z + dz), first < end else { continue }
      for y in max(0, -dy)..<max(max(0, -dy), min(extent.height, extent.height - dy)) {
        let to = (z * extent.height + y) * extent.width + first
        body(tap, to, to + (dz * extent.height + dy) * extent.width + dx, end - first)
      }
    }
  }
}
