import Tensors

/// Which stored axis each axis of a reoriented grid is, and whether it runs backward.
package struct AxisMapping: Hashable, Sendable {
  /// For x, y, z of the reoriented grid, the stored axis (0 = x, 1 = y, 2 = z).
  package let source: [Int]
  /// For x, y, z of the reoriented grid, whether it runs against the stored axis.
  package let isFlipped: [Bool]

  /// A mapping; `source` must be a permutation of 0, 1, 2.
  package init(source: [Int], isFlipped: [Bool]) {
    precondition(
      source.sorted() == [0, 1, 2] && isFlipped.count == 3, "\(source) \(isFlipped) is no mapping")
    self.source = source
    self.isFlipped = isFlipped
  }

  /// The mapping that changes nothing.
  package static let identity = AxisMapping(source: [0, 1, 2], isFlipped: [false, false, false])

  /// The mapping that takes a reoriented grid back.
  package var inverse: AxisMapping {
    let back = (0..<3).map { axis in source.firstIndex(of: axis) ?? axis }
    return AxisMapping(source: back, isFlipped: back.map { isFlipped[$0] })
  }
}
