import Tensors

/// The rules a configuration must keep so that every kernel is defined.
extension ModelConfiguration {
  // Our choice: far above any volume (a patch of 2^15), far below where a shift would overflow.
  private static let scaleRange = 2...16

  /// Checks the model, and `patch` if given, against the model domain.
  ///
  /// - Throws: `ModelError` that names the first wrong key, its value and the nearest valid values.
  package func validate(patch: Extent? = nil) throws(ModelError) {
    try check(inputs, "data.channels", in: 1...65_536)
    try check(outputs, "model.outputs", in: 1...32_767)
    try check(scales, "model.scales", in: Self.scaleRange)
    try check(groups, "model.groups", in: 1...1024)
    try checkChannels(channels, "model.channels")
    try checkChannels(maximumChannels, "model.maximumChannels")
    for (index, placement) in attention.enumerated() {
      try checkPlacement(placement, "model.attention[\(index)]", among: attention.prefix(index))
    }
    if let patch { try checkPatch(patch) }
  }

  private func check(
    _ value: Int, _ key: String, in range: ClosedRange<Int>
  ) throws(ModelError) {
    guard !range.contains(value) else { return }
    throw .outsideDomain(
      key: key, value: "\(value)", rule: "is not in \(range.lowerBound)...\(range.upperBound)",
      nearest: ["\(min(max(value, range.lowerBound), range.upperBound))"])
  }

  private func checkChannels(_ value: Int, _ key: String) throws(ModelError) {
    let multiple = leastCommonMultiple(16, groups)
    try checkMultiple(
      value, of: multiple, key,
      rule: "is not a positive multiple of 16 and of model.groups (\(groups))")
    try check(value, key, in: multiple...max(multiple, 1 << 20))
  }

  private func checkPatch(_ patch: Extent) throws(ModelError) {
    for (axis, size) in zip(["x", "y", "z"], patch.xyz) {
      try checkMultiple(
        size, of: patchMultiple, "data.patchSize (\(axis))",
        rule: "is not a positive multiple of \(patchMultiple) = 2^(model.scales - 1)")
    }
  }

  private func checkMultiple(
    _ value: Int, of multiple: Int, _ key: String, rule: String
  ) throws(ModelError) {
    guard value <= 0 || value % multiple != 0 else { return }
    let below = max(0, value) / multiple * multiple
    throw .outsideDomain(
      key: key, value: "\(value)", rule: rule,
      nearest: (below > 0 ? [below, below + multiple] : [multiple]).map(String.init))
  }

  private func checkPlacement(
    _ placement: AttentionPlacement, _ key: String, among earlier: ArraySlice<AttentionPlacement>
  ) throws(ModelError) {
    try check(placement.scale, "\(key).scale", in: 0...(scales - 2))
    // Our choice: a whole kernel larger than the article's is beyond what anybody would wait for.
    let largest = placement.kind == .whole ? 21 : 1023
    try check(placement.kernelSize, "\(key).kernelSize", in: 1...largest)
    try check(placement.dilation, "\(key).dilation", in: 1...255)
    if earlier.contains(where: { $0.scale == placement.scale }) {
      throw .outsideDomain(
        key: "\(key).scale", value: "\(placement.scale)", rule: "already has an attention module",
        nearest: unusedScales.map(String.init))
    }
    try checkKernel(placement, key)
  }

  private var unusedScales: [Int] {
    (0...(scales - 2)).filter { attention(atScale: $0) == nil }
  }

  private func checkKernel(_ placement: AttentionPlacement, _ key: String) throws(ModelError) {
    let (size, dilation) = (placement.kernelSize, placement.dilation)
    guard placement.kind == .decomposed, placement.dilatedSize % 2 == 0 else { return }
    // An even ceil(K/d) = 2m: the sizes just outside its d values of K have odd ones.
    let half = placement.dilatedSize
    throw .outsideDomain(
      key: "\(key).kernelSize", value: "\(size)",
      rule: "with dilation \(dilation) makes ceil(K/d) = \(half), which must be odd",
      nearest: ["\((half - 1) * dilation)", "\(half * dilation + 1)"])
  }

  private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return a / x * b
  }
}
