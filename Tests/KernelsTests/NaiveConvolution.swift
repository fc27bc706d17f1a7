import Kernels
import Tensors
import Testing

/// Values in `[C][D][H][W]` order and double precision, for loops that cannot go wrong.
struct NaiveMap {
  var shape: Shape
  var values: [Double]

  init(zeros shape: Shape) {
    self.shape = shape
    values = [Double](repeating: 0, count: shape.count)
  }

  init(_ shape: Shape, random name: String) {
    self.shape = shape
    values = randomValues(shape.count, name).map { Double($0) }
  }

  init(_ map: FeatureMap) {
    self.init(zeros: map.shape)
    let voxels = shape.extent.voxels
    for index in values.indices {
      let (channel, voxel) = index.quotientAndRemainder(dividingBy: voxels)
      values[index] = Double(
        map.pointer[channel / 16 * map.blockStride + voxel * 16 + channel % 16])
    }
  }

  init(_ grid: VoxelGrid) {
    shape = grid.shape
    values = grid.values.map { Double($0) }
  }

  /// The channels of `range` as a blocked map.
  func featureMap(_ range: Range<Int>? = nil, on compute: Compute) -> FeatureMap {
    let range = range ?? 0..<shape.channels
    let voxels = shape.extent.voxels
    var map = FeatureMap(
      uninitialized: Shape(channels: range.count, extent: shape.extent), from: compute.pool)
    let stride = map.blockStride
    let pointer = map.mutablePointer()
    for channel in 0..<range.count {
      for voxel in 0..<voxels {
        pointer[channel / 16 * stride + voxel * 16 + channel % 16] =
          Float(values[(channel + range.lowerBound) * voxels + voxel])
      }
    }
    return map
  }

  var grid: VoxelGrid { VoxelGrid(shape, values: values.map { Float($0) }) }
}

/// Every product of a convolution: which weight joins which input and output value.
struct NaiveConvolution {
  var input: Shape
  var output: Shape
  var kernelSize: Int
  var stride = 1
  var dilation = 1
  var padding: Int
  var isDepthwise = false

  var weightCount: Int {
    output.channels * (isDepthwise ? 1 : input.channels) * kernelSize * kernelSize * kernelSize
  }

  @inline(__always)
  func forEachProduct(_ body: (_ weight: Int, _ input: Int, _ output: Int) -> Void) {
    let (k, a, b) = (kernelSize, input.extent, output.extent)
    let group = isDepthwise ? 1 : input.channels
    for o in 0..<output.channels {
      for i in 0..<group {
        for t in 0..<k * k * k {
          let offset = [t / (k * k), t / k % k, t % k].map { $0 * dilation - padding }
          let (oz, oy, ox) = (offset[0], offset[1], offset[2])
          for z in 0..<b.depth where (0..<a.depth).contains(z * stride + oz) {
            for y in 0..<b.height where (0..<a.height).contains(y * stride + oy) {
              for x in 0..<b.width where (0..<a.width).contains(x * stride + ox) {
                let from = ((z * stride + oz) * a.height + y * stride + oy) * a.width
                let channel = isDepthwise ? o : i
                body(
                  (o * group + i) * k * k * k + t,
                  channel * a.voxels + from + x * stride + ox,
                  o * b.voxels + (z * b.height + y) * b.width + x)
              }
            }
          }
        }
      }
    }
  }

  func forward(_ x: NaiveMap, _ weight: FloatSlice, bias: FloatSlice) -> NaiveMap {
    var y = NaiveMap(zeros: output)
    for index in y.values.indices {
      y.values[index] = Double(bias.values[index / output.extent.voxels])
    }
    forEachProduct { y.values[$2] += Double(weight.values[$0]) * x.values[$1] }
    return y
  }

  func inputGradient(_ dy: NaiveMap, _ weight: FloatSlice) -> NaiveMap {
    var dx = NaiveMap(zeros: input)
    forEachProduct { dx.values[$1] += Double(weight.values[$0]) * dy.values[$2] }
    return dx
  }

  func weightGradient(_ x: NaiveMap, _ dy: NaiveMap) -> [Double] {
    var dw = [Double](repeating: 0, count: weightCount)
    forEachProduct { dw[$0] += x.values[$1] * dy.values[$2] }
    return dw
  }
}

/// Sums over voxels of each channel.
func channelSums(_ map: NaiveMap) -> [Double] {
  let voxels = map.shape.extent.voxels
  return (0..<map.shape.channels).map { map.values[$0 * voxels..<($0 + 1) * voxels].reduce(0, +) }
}

func randomValues(_ count: Int, _ name: String) -> [Float] {
  var stream = RandomStream(seed: 7, purpose: name)
  return (0..<count).map { _ in Float(stream.uniform() - 0.45) }
}

func randomSlice(_ count: Int, _ name: String) -> FloatSlice {
  let slice = FloatBuffer(zeros: count).slice
  _ = slice.mutableValues.update(fromContentsOf: randomValues(count, name))
  return slice
}

/// The largest difference relative to the largest expected value.
func relativeError(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  let scale = expected.reduce(1e-30) { max($0, abs($1)) }
  return zip(found, expected).reduce(0) {
    $1.0.isNaN ? .infinity : max($0, abs($1.0 - $1.1) / scale)
  }
}

func relativeError(_ found: FeatureMap, _ expected: NaiveMap) -> Double {
  guard found.shape == expected.shape else { return .infinity }
  return relativeError(NaiveMap(found).values, expected.values)
}

/// The values a gradient function added to a slice that started at 1.
func added(_ slice: FloatSlice) -> [Double] { slice.values.map { Double($0) - 1 } }

func ones(_ count: Int) -> FloatSlice {
  let slice = FloatBuffer(zeros: count).slice
  slice.mutableValues.update(repeating: 1)
  return slice
}

let tolerance = 2e-5

/// The root of the mean square error over that of the values.
func rmsError(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  let error = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  let square = expected.reduce(1e-60) { $0 + $1 * $1 }
  return error.isNaN ? .infinity : (error / square).squareRoot()
}

/// Whether the values are as close as the implementation promises.
func isClose(_ found: [Double], _ expected: [Double], _ way: DenseImplementation) -> Bool {
  switch way {
  case .winograd: rmsError(found, expected) < 2e-5 && relativeError(found, expected) < 1e-4
  case .sweep: rmsError(found, expected) < 1e-6 && relativeError(found, expected) < tolerance
  }
}

func isClose(_ found: FeatureMap, _ expected: NaiveMap, _ way: DenseImplementation) -> Bool {
  found.shape == expected.shape && isClose(NaiveMap(found).values, expected.values, way)
}

/// Expects the sums and squares over each channel of `map`.
func expectMoments(_ moments: ChannelMoments, of map: NaiveMap) {
  let voxels = map.shape.extent.voxels
  let channels = map.values.count / voxels
  let runs = (0..<channels).map { map.values[$0 * voxels..<($0 + 1) * voxels] }
  #expect(relativeError(moments.sums, runs.map { $0.reduce(0, +) }) < 1e-4)
  #expect(relativeError(moments.squares, runs.map { $0.reduce(0) { $0 + $1 * $1 } }) < 1e-4)
}
