import Foundation
import Kernels
import Tensors
import Testing

private let slope: Float = 0.01

/// Group norm and leaky ReLU in plain loops.
private func normalized(
  _ x: NaiveMap, weight: FloatSlice, bias: FloatSlice, groups: Int
) -> NaiveMap {
  var y = x
  let size = x.shape.count / groups
  for group in 0..<groups {
    let range = group * size..<(group + 1) * size
    let mean = x.values[range].reduce(0, +) / Double(size)
    let variance = x.values[range].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
    for index in range {
      let channel = index / x.shape.extent.voxels
      let z =
        (x.values[index] - mean) / (variance + 1e-5).squareRoot() * Double(weight.values[channel])
        + Double(bias.values[channel])
      y.values[index] = z > 0 ? z : z * Double(slope)
    }
  }
  return y
}

@Suite struct PointwiseTests {
  let compute = Compute(threads: 2)
  let shape = Shape(channels: 48, extent: Extent(depth: 3, height: 5, width: 7))

  @Test(arguments: [1, 3, 8, 48])
  func `group normalization agrees with plain loops`(groups: Int) {
    var x = NaiveMap(shape, random: "x")
    for index in x.values.indices { x.values[index] += 3 }
    let (weight, bias) = (randomSlice(48, "w"), randomSlice(48, "b"))
    var y = x.featureMap(on: compute)
    let statistics = GroupNormalization.statistics(of: y, groups: groups, on: compute)
    let held = y
    var shared = held
    GroupNormalization.forward(
      &shared, statistics, weight: weight, bias: bias, slope: slope, on: compute)
    #expect(NaiveMap(held).values == x.values.map { Double(Float($0)) })
    _ = consume held
    GroupNormalization.forward(
      &y, statistics, weight: weight, bias: bias, slope: slope, on: compute)
    let expected = normalized(x, weight: weight, bias: bias, groups: groups)
    #expect(relativeError(y, expected) < tolerance)
    #expect(NaiveMap(y).values == NaiveMap(shared).values)
  }

  @Test
  func `normalization gradients are finite differences`() {
    let shape = Shape(channels: 16, extent: Extent(depth: 2, height: 1, width: 3))
    let x = NaiveMap(shape, random: "x")
    let dy = NaiveMap(shape, random: "dy")
    let (weight, bias) = (randomSlice(16, "w"), randomSlice(16, "b"))
    let map = x.featureMap(on: compute)
    let statistics = GroupNormalization.statistics(of: map, groups: 4, on: compute)
    let (dw, db) = (ones(16), ones(16))
    let held = dy.featureMap(on: compute)
    var shared = held
    GroupNormalization.backward(
      &shared, x: map, statistics: statistics, weight: weight, bias: bias, gradient: ones(16),
      db: ones(16), slope: slope, on: compute)
    #expect(NaiveMap(held).values == dy.values.map { Double(Float($0)) })
    var dx = dy.featureMap(on: compute)
    GroupNormalization.backward(
      &dx, x: map, statistics: statistics, weight: weight, bias: bias,
      gradient: dw, db: db, slope: slope, on: compute)
    #expect(NaiveMap(dx).values == NaiveMap(shared).values)
    let loss = { (x: NaiveMap, weight: FloatSlice, bias: FloatSlice) in
      zip(normalized(x, weight: weight, bias: bias, groups: 4).values, dy.values)
        .reduce(0) { $0 + $1.0 * $1.1 }
    }
    let expected = x.values.indices.map { index in
      difference { step in
        var moved = x
        moved.values[index] += step
        return loss(moved, weight, bias)
      }
    }
    #expect(relativeError(NaiveMap(dx).values, expected) < 1e-3)
    #expect(relativeError(added(dw), sidedSlopes(of: weight) { loss(x, $0, bias) }) < 1e-3)
    #expect(relativeError(added(db), sidedSlopes(of: bias) { loss(x, weight, $0) }) < 1e-3)
  }

  @Test
  func `the gate and its gradients follow the formula`() {
    let u = NaiveMap(shape, random: "u")
    let dy = NaiveMap(shape, random: "dy")
    var a = NaiveMap(shape, random: "a")
    for index in a.values.indices { a.values[index] *= [1, 20, 250][index % 3] }
    var maps = [u, a, dy].map { $0.featureMap(on: compute) }
    let sigmoid = NaiveMap(maps[1]).values.map { 1 / (1 + exp(-$0)) }
    var (y, du, da) = (u, u, u)
    for (index, s) in sigmoid.enumerated() {
      y.values[index] = u.values[index] * (1 + s)
      du.values[index] = dy.values[index] * (1 + s)
      da.values[index] = dy.values[index] * u.values[index] * s * (1 - s)
    }
    #expect(relativeError(AttentionGate.forward(maps[0], gate: maps[1], on: compute), y) < 1e-6)
    var (gate, gradient) = (maps.remove(at: 1), maps.remove(at: 1))
    AttentionGate.backward(&gradient, maps[0], gate: &gate, on: compute)
    #expect(relativeError(gradient, du) < 1e-6)
    #expect(relativeError(gate, da) < 1e-6)
  }

  @Test
  func `adding a map leaves its sharers alone`() {
    let (a, b) = (NaiveMap(shape, random: "a"), NaiveMap(shape, random: "b"))
    let original = a.featureMap(on: compute)
    var sum = original
    FeatureMapSum.add(b.featureMap(on: compute), to: &sum, on: compute)
    var expected = a
    for index in a.values.indices { expected.values[index] += b.values[index] }
    #expect(relativeError(sum, expected) < 1e-6)
    #expect(relativeError(original, a) < 1e-6)
  }

  private func difference(_ f: (Double) -> Double) -> Double { (f(1e-4) - f(-1e-4)) / 2e-4 }

  private func sidedSlopes(of slice: FloatSlice, _ f: (FloatSlice) -> Double) -> [Double] {
    (0..<slice.count).map { index in
      let sides = [Float(0x1p-10), -0x1p-10].map { step -> (Double, Double) in
        let moved = FloatBuffer(zeros: slice.count).slice
        _ = moved.mutableValues.update(fromContentsOf: slice.values)
        moved.mutableValues[index] += step
        return (f(moved), Double(moved.values[index]))
      }
      return (sides[0].0 - sides[1].0) / (sides[0].1 - sides[1].1)
    }
  }
}
