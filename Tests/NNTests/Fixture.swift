import Foundation
import Kernels
import NN
import Tensors
import Testing

/// A file of scripts/make-fixtures.py: what a PyTorch twin computed in double precision.
struct Fixture {
  let name: String
  let meta: Meta
  private let tensors: [String: [Float]]

  /// The fields of any fixture; which are there depends on its kind.
  struct Meta: Decodable {
    var steps: [String: Double]
    var samples: [String: Int]
    var kind: String?
    var input: [Int]?
    var output: [Int]?
    var kernel: [Int]?
    var parameters: [NamedShape]?
    var outputs: Int?
    var inputs: Int?
    var scales: Int?
    var maximumChannels: Int?
    var slope: Float?
    var attention: [[Int]]?
    var extent: [Int]?
    var extents: [[Int]]?
    var ignore: Bool?
    var loss: Double?
    var losses: [Double]?
    var learningRate: Double?
    var weightDecay: Double?
  }

  struct NamedShape: Decodable {
    let name: String
    let shape: [Int]

    init(from decoder: Decoder) throws {
      var list = try decoder.unkeyedContainer()
      name = try list.decode(String.self)
      shape = try list.decode([Int].self)
    }
  }

  private struct Entry: Decodable {
    let dtype: String
    let data_offsets: [Int]
  }

  init(_ name: String) throws {
    let url = try #require(
      Bundle.module.url(
        forResource: name, withExtension: "safetensors", subdirectory: "Fixtures"))
    let file = try [UInt8](Data(contentsOf: url))
    let length = file[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = Data(file[8..<8 + length])
    let object = try #require(JSONSerialization.jsonObject(with: header) as? [String: Any])
    let metadata = try #require(object["__metadata__"] as? [String: String])
    let meta = try JSONDecoder().decode(
      Meta.self, from: Data(try #require(metadata["fixture"]).utf8))
    var tensors: [String: [Float]] = [:]
    for (key, value) in object where key != "__metadata__" {
      let data = try JSONSerialization.data(withJSONObject: value)
      let entry = try JSONDecoder().decode(Entry.self, from: data)
      let bytes = file[8 + length + entry.data_offsets[0]..<8 + length + entry.data_offsets[1]]
      tensors[key] = Self.floats(Array(bytes), entry.dtype, step: meta.steps[key] ?? 1)
    }
    self.name = name
    self.meta = meta
    self.tensors = tensors
  }

  private static func floats(_ bytes: [UInt8], _ type: String, step: Double) -> [Float] {
    bytes.withUnsafeBytes { raw in
      type == "F32"
        ? Array(raw.bindMemory(to: Float.self))
        : raw.bindMemory(to: Int16.self).map { Float(Double($0) * step) }
    }
  }

  /// The stored values, and those of `values` that they stand for.
  private func pairs(_ key: String, _ values: [Float]) throws -> [(expected: Float, found: Float)] {
    let stored = try #require(tensors[key], "\(name) holds no \(key)")
    let every = meta.samples[key] ?? 1
    let found = stride(from: 0, to: values.count, by: every).map { values[$0] }
    try #require(found.count == stored.count, "\(name) \(key): \(stored.count) stored")
    return Array(zip(stored, found)).map { (expected: $0, found: $1) }
  }

  /// The largest difference divided by the largest stored value.
  func worst(_ key: String, _ values: some Sequence<Float>) throws -> Float {
    let pairs = try pairs(key, Array(values))
    let largest = pairs.reduce(Float.leastNormalMagnitude) { max($0, abs($1.expected)) }
    // A NaN must not pass as no difference.
    return pairs.reduce(0) { $1.found.isFinite ? max($0, abs($1.found - $1.expected)) : .infinity }
      / largest
  }

  /// The L2 norm of the difference divided by that of the stored values.
  func relativeNorm(_ key: String, _ values: some Sequence<Float>) throws -> Float {
    let pairs = try pairs(key, Array(values))
    let difference = pairs.reduce(Float(0)) {
      $0 + ($1.found - $1.expected) * ($1.found - $1.expected)
    }
    let norm = pairs.reduce(Float(0)) { $0 + $1.expected * $1.expected }
    return (difference / max(norm, .leastNormalMagnitude)).squareRoot()
  }
}

/// The numbers that the script draws too: an integer hash of a name and an index.
enum Drawn {
  static func bits(_ name: String, _ count: Int) -> [UInt32] {
    var seed: UInt32 = 0x811C_9DC5
    for byte in name.utf8 { seed = (seed ^ UInt32(byte)) &* 0x0100_0193 }
    return (0..<count).map { index in
      var h = UInt32(truncatingIfNeeded: index) &* 0x9E37_79B1 &+ seed
      h = (h ^ (h >> 16)) &* 0x7FEB_352D
      h = (h ^ (h >> 15)) &* 0x846C_A68B
      return h ^ (h >> 16)
    }
  }

  /// shift + scale * u with u uniform in [-1, 1).
  static func uniform(
    _ name: String, _ count: Int, scale: Double = 1, shift: Double = 0
  ) -> [Float] {
    bits(name, count).map { Float(shift + scale * (Double($0 >> 8) / Double(1 << 23) - 1)) }
  }

  static func grid(_ name: String, _ shape: Shape, scale: Double = 1) -> VoxelGrid {
    VoxelGrid(shape, values: uniform(name, shape.count, scale: scale))
  }

  /// Labels 0..<outputs and, with `ignore`, also `outputs` itself; or regions.
  static func target(
    _ name: String, _ loss: Loss, outputs: Int, _ extent: Extent, ignore: Bool
  ) -> Target {
    guard loss == .diceBCE else {
      let labels = bits("\(name)/target", extent.voxels)
      return .labels(
        labels.map { Int16($0 % UInt32(ignore ? outputs + 1 : outputs)) },
        ignore: ignore ? outputs : nil)
    }
    let shape = Shape(channels: outputs, extent: extent)
    let regions = bits("\(name)/target", shape.count).map { Float($0 % 4 == 0 ? 1 : 0) }
    let ignored = bits("\(name)/ignored", extent.voxels).map { $0 % 8 == 0 }
    return .regions(VoxelGrid(shape, values: regions), ignored: ignore ? ignored : nil)
  }

  /// Sets all values of a store as the script's `set_parameters` does.
  static func setParameters(
    _ store: ParameterStore, case name: String, dropping prefix: String = ""
  ) {
    for parameter in store.parameters {
      let own = parameter.name.dropFirst(prefix.count)
      let key = "\(name)/\(own)"
      let values: [Float]
      if parameter.shape.count == 5 {
        let up = own.hasPrefix("up.") || own.contains(".up.")
        let fan = up ? 8 * parameter.shape[0] : parameter.count / parameter.shape[0]
        values = uniform(key, parameter.count, scale: (6 / Double(fan)).squareRoot())
      } else if own.contains("norm") && own.hasSuffix("weight") {
        values = uniform(key, parameter.count, scale: 0.2, shift: 1)
      } else {
        values = uniform(key, parameter.count, scale: 0.1)
      }
      _ = store.values(of: parameter).mutableValues.update(fromContentsOf: values)
    }
  }
}

extension Extent {
  /// From z, y, x.
  init(_ zyx: [Int]) { self.init(depth: zyx[0], height: zyx[1], width: zyx[2]) }
}

extension Shape {
  /// From channels, z, y, x.
  init(_ sizes: [Int]) { self.init(channels: sizes[0], extent: Extent(Array(sizes[1...]))) }
}

extension FeatureMap {
  /// A map of the values in `[C][D][H][W]` order.
  init(_ grid: VoxelGrid, from pool: MemoryPool) {
    self.init(uninitialized: grid.shape, from: pool)
    let (voxels, stride) = (shape.extent.voxels, blockStride)
    let target = mutablePointer()
    for (index, value) in grid.values.enumerated() {
      let (channel, voxel) = (index / voxels, index % voxels)
      target[channel / Self.lanes * stride + voxel * Self.lanes + channel % Self.lanes] = value
    }
  }

  /// The values in `[C][D][H][W]` order.
  var planar: [Float] {
    let voxels = shape.extent.voxels
    return (0..<shape.count).map { index in
      let (channel, voxel) = (index / voxels, index % voxels)
      return pointer[
        channel / Self.lanes * blockStride + voxel * Self.lanes + channel % Self.lanes]
    }
  }
}

extension VoxelGrid {
  /// A copy of the values, which outlives the grid.
  var array: [Float] { withExtendedLifetime(self) { Array(values) } }
}
