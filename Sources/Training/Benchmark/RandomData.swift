import Tensors

extension VoxelGrid {
  /// Values from a normal distribution, the same for each `purpose`.
  static func random(_ shape: Shape, _ purpose: String) -> VoxelGrid {
    var stream = RandomStream(seed: 1, purpose: purpose)
    return VoxelGrid(shape, values: (0..<shape.count).map { _ in Float(stream.normal()) })
  }
}

extension FeatureMap {
  /// Values from a normal distribution, the same for each `purpose`.
  static func random(_ shape: Shape, _ purpose: String, on compute: Compute) -> FeatureMap {
    var map = FeatureMap(uninitialized: shape, from: compute.pool)
    let values = map.mutablePointer()
    compute.team.forChunks(of: shape.count, length: 1 << 16) { chunk, range in
      var stream = RandomStream(seed: 1, purpose: purpose, patch: chunk)
      for index in range { values[index] = Float(stream.normal()) }
    }
    return map
  }
}
