/// A place between two grid points; the weight of `upper` is `fraction`, in [0, 1).
struct LinearPosition {
  var lower: Int
  var upper: Int
  var fraction: Float
}

/// For each new grid point along an axis, the two old ones around it.
struct LinearPositions {
  private let positions: [LinearPosition]

  init(from size: Int, to target: Int) {
    let ratio = Double(size) / Double(target)
    positions = (0..<target).map { index in
      let position = min(max((Double(index) + 0.5) * ratio - 0.5, 0), Double(size - 1))
      let lower = Int(position)
      return LinearPosition(
        lower: lower, upper: min(lower + 1, size - 1), fraction: Float(position - Double(lower)))
    }
  }

  subscript(index: Int) -> LinearPosition { positions[index] }

  /// Calls `body` for every new grid point, without the checks of a subscript.
  @inline(__always)
  func forEach(_ body: (_ index: Int, _ position: LinearPosition) -> Void) {
    positions.withUnsafeBufferPointer { positions in
      for index in positions.indices { body(index, positions[index]) }
    }
  }
}
