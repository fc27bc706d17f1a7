import CKernels
import Tensors

/// Mean and 1 / sqrt(variance + 1e-5) of each group of channels.
package struct GroupStatistics: Sendable {
  package let mean: [Float]
  package let inverseDeviation: [Float]

  package init(mean: [Float], inverseDeviation: [Float]) {
    self.mean = mean
    self.inverseDeviation = inverseDeviation
  }
}

/// Group normalization (Wu and He 2018; population variance, epsilon 1e-5), then leaky ReLU.
package enum GroupNormalization {
  private static let epsilon = 1e-5
  /// Voxels normalized by one work item.
  private static let run = 4096

  /// The statistics of x; `moments` are its, if known.
  package static func statistics(
    of x: FeatureMap, moments: ChannelMoments? = nil, groups: Int, on compute: Compute
  ) -> GroupStatistics {
    statistics(moments ?? ChannelMoments(of: x, on: compute), shape: x.shape, groups: groups)
  }

  /// Turns x into leaky(weight (x - mean) / deviation + bias), in its memory if nobody shares it.
  package static func forward(
    _ x: inout FeatureMap, _ statistics: GroupStatistics, weight: FloatSlice, bias: FloatSlice,
    slope: Float, on compute: Compute
  ) {
    let lanes = Lanes(statistics, weight: weight, bias: bias, channels: x.shape.channels)
    replaceRuns(of: &x, on: compute) { block, start, count, source, target in
      lk_normalize(
        source + start, count, lanes.scale(block), lanes.shift(block), slope, target + start)
    }
  }

  /// Turns `dy` into the gradient of x, in its memory if nobody shares it; adds those of weight and bias
  /// to `dw` and `db`.
  package static func backward(
    _ dy: inout FeatureMap, x: FeatureMap, statistics: GroupStatistics, weight: FloatSlice,
    bias: FloatSlice, gradient dw: FloatSlice, db: FloatSlice, slope: Float, on compute: Compute
  ) {
    precondition(x.shape == dy.shape, "an input of \(x.shape) and a gradient of \(dy.shape)")
    var lanes = Lanes(statistics, weight: weight, bias: bias, channels: x.shape.channels)
    let gradient = dy.pointer
    let sums = LaneSums.reduce(x.shape, count: 2, on: compute) { block, range, sums in
      let start = block * x.blockStride + range.lowerBound * 16
      lk_normalize_sums(
        gradient + start, x.pointer + start, range.count, lanes.scale(block),
        lanes.shift(block), lanes.mean(block), lanes.inverse(block), slope, sums)
    }
    for channel in 0..<x.shape.channels {
      db.mutableValues[channel] += Float(sums[0][channel])
      dw.mutableValues[channel] += Float(sums[1][channel])
    }
    lanes.setGradient(sums, weight: weight, groups: statistics.mean.count, shape: x.shape)
    replaceRuns(of: &dy, on: compute) { block, start, count, source, target in
      lk_normalize_gradient(
        source + start, x.pointer + start, count, lanes.scale(block), lanes.shift(block),
        lanes.mean(block), lanes.slopeX(block), lanes.constant(block), slope, target + start)
    }
  }

  private static func statistics(
    _ moments: ChannelMoments, shape: Shape, groups: Int
  ) -> GroupStatistics {
    let channels = shape.channels
    precondition(
      groups > 0 && channels % groups == 0, "\(channels) channels in \(groups) groups")
    let size = channels / groups
    let count = Double(size * shape.extent.voxels)
    let means = (0..<groups).map { group in
      moments.sums[group * size..<(group + 1) * size].reduce(0, +) / count
    }
    let inverses = (0..<groups).map { group in
      let squares = moments.squares[group * size..<(group + 1) * size].reduce(0, +) / count
      return 1 / (max(0, squares - means[group] * means[group]) + epsilon).squareRoot()
    }
    return GroupStatistics(
      mean: means.map { Float($0) }, inverseDeviation: inverses.map { Float($0) })
  }

  /// Replaces a map by what `body` makes of each run of voxels, which begins `start` floats after `source`
  /// and `target`: the map's memory or, if it is shared, that of a new one.
  private static func replaceRuns(
    of map: inout FeatureMap, on compute: Compute,
    _ body: (
      _ block: Int, _ start: Int, _ voxels: Int, _ source: UnsafePointer<Float>,
      _ target: UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let held = map.exclusivePointer() == nil ? map : nil
    if held != nil { map = FeatureMap(uninitialized: map.shape, from: compute.pool) }
    let target = map.mutablePointer()
    let source = held?.pointer ?? UnsafePointer(target)
    let (voxels, stride) = (map.shape.extent.voxels, map.blockStride)
    let runs = (voxels + run - 1) / run
    compute.team.parallelFor(map.blocks * runs) { item, _ in
      let first = item % runs * run
      let block = item / runs
      body(block, block * stride + first * 16, min(run, voxels - first), source, target)
    }
    withExtendedLifetime(held) {}
  }
}

/// The coefficients of each channel, as vectors of 16 lanes per block.
private struct Lanes {
  private var table: [[Float]]

  init(_ statistics: GroupStatistics, weight: FloatSlice, bias: FloatSlice, channels: Int) {
    precondition(
      weight.count == channels && bias.count == channels,
      "\(weight.count) weights and \(bias.count) biases for \(channels) channels")
    let size = channels / statistics.mean.count
    let mean = (0..<channels).map { statistics.mean[$0 / size] }
    let inverse = (0..<channels).map { statistics.inverseDeviation[$0 / size] }
    let scale = (0..<channels).map { weight.values[$0] * inverse[$0] }
    let shift = (0..<channels).map { bias.values[$0] - mean[$0] * scale[$0] }
    table = [scale, shift, mean, inverse, [], []]
  }

  /// dx = scale dz - inverse (mean of w dz + x^ mean of w dz x^) over each group.
  mutating func setGradient(_ sums: [[Double]], weight: FloatSlice, groups: Int, shape: Shape) {
    let size = shape.channels / groups
    let count = Double(size * shape.extent.voxels)
    let means = sums.map { sum in
      (0..<groups).map { group in
        (group * size..<(group + 1) * size).reduce(0) {
          $0 + Double(weight.values[$1]) * sum[$1]
        } / count
      }
    }
    let inverse = table[3]
    table[4] = inverse.indices.map {
      Float(-Double(inverse[$0]) * Double(inverse[$0]) * means[1][$0 / size])
    }
    table[5] = inverse.indices.map { Float(-Double(inverse[$0]) * means[0][$0 / size]) }
  }

  func scale(_ block: Int) -> [Float] { lanes(0, block) }
  func shift(_ block: Int) -> [Float] { lanes(1, block) }
  func mean(_ block: Int) -> [Float] { lanes(2, block) }
  func inverse(_ block: Int) -> [Float] { lanes(3, block) }
  func slopeX(_ block: Int) -> [Float] { lanes(4, block) }
  func constant(_ block: Int) -> [Float] { lanes(5, block) }

  private func lanes(_ row: Int, _ block: Int) -> [Float] {
    Array(table[row][block * 16..<block * 16 + 16])
  }
}
