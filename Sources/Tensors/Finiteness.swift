extension FloatSlice {
  /// Whether no value is NaN or infinite.
  package var isFinite: Bool { isEveryFinite(values) }
}

extension VoxelGrid {
  /// Whether no value is NaN or infinite.
  package var isFinite: Bool { isEveryFinite(values) }
}

extension FeatureMap {
  /// Whether no value is NaN or infinite.
  package var isFinite: Bool {
    isEveryFinite(UnsafeBufferPointer(start: pointer, count: shape.count))
  }
}

private func isEveryFinite(_ values: UnsafeBufferPointer<Float>) -> Bool {
  values.allSatisfy(\.isFinite)
}
