import Tensors

/// Which stored axis each axis of a reoriented grid is, and whether it runs backward.
package struct AxisMapping: Codable, Hashable, Sendable {
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

extension AxisMapping {
  /// The mapping that brings a grid closest to a named orientation.
  ///
  /// Stored axes claim, in order, the body axis to which their cosine is largest, as nibabel's
  /// `io_orientation` does.
  ///
  /// - Parameter orientation: where x, y and z shall point, three letters such as "RAS".
  /// - Throws: `configuration` for anything but one letter each of RL, AP and SI.
  package init(from affine: Affine, to orientation: String) throws(ImagingError) {
    let targets = try Self.directions(orientation)
    let stored = Self.closestDirections(affine)
    let source = targets.map { target in
      stored.firstIndex { $0.axis == target.axis } ?? target.axis
    }
    let isFlipped = zip(targets, source).map { $0.isNegative != stored[$1].isNegative }
    self.init(source: source, isFlipped: isFlipped)
  }

  /// The name of the orientation that a grid is closest to, such as "LPS".
  package static func orientation(of affine: Affine) -> String {
    String(closestDirections(affine).map { letters[$0.axis][$0.isNegative ? 1 : 0] })
  }

  /// A body axis (0 right, 1 anterior, 2 superior) and whether a grid axis runs against it.
  private struct Direction {
    var axis: Int
    var isNegative: Bool
  }

  private static let letters: [[Character]] = [["R", "L"], ["A", "P"], ["S", "I"]]

  private static func directions(_ orientation: String) throws(ImagingError) -> [Direction] {
    let found = orientation.compactMap { letter in
      letters.enumerated().compactMap { axis, pair in
        pair.firstIndex(of: letter).map { Direction(axis: axis, isNegative: $0 == 1) }
      }.first
    }
    guard orientation.count == 3, found.map(\.axis).sorted() == [0, 1, 2] else {
      throw .configuration(
        "orientation \"\(orientation)\" is not one letter each of R or L, A or P, S or I; "
          + "write for example RAS")
    }
    return found
  }

  private static func closestDirections(_ affine: Affine) -> [Direction] {
    var free = [0, 1, 2]
    return zip(affine.axes, affine.spacing).map { axis, length in
      let cosines = axis / length
      let best = free.max { abs(cosines[$0]) < abs(cosines[$1]) } ?? 0
      free.removeAll { $0 == best }
      return Direction(axis: best, isNegative: cosines[best] < 0)
    }
  }

  /// The grid of the same voxels after reorientation.
  package func reoriented(_ geometry: Geometry) -> Geometry {
    let sizes = geometry.extent.xyz
    let affine = geometry.affine
    var origin = affine.origin
    for (axis, isFlipped) in zip(source, isFlipped) where isFlipped {
      origin += affine.axes[axis] * Double(sizes[axis] - 1)
    }
    return Geometry(
      extent: Extent(xyz: source.map { sizes[$0] }),
      affine: Affine(
        axes: zip(source, isFlipped).map { affine.axes[$0] * ($1 ? -1 : 1) }, origin: origin))
  }

  /// A box of the stored grid, whose size is `extent`, as a box of the reoriented grid.
  package func reoriented(_ box: VoxelBox, in extent: Extent) -> VoxelBox {
    let (sizes, kept) = (extent.xyz, box.extent.xyz)
    let lower = zip(source, isFlipped).map { axis, isFlipped in
      isFlipped ? sizes[axis] - box.lower[axis] - kept[axis] : box.lower[axis]
    }
    return VoxelBox(lower: lower, extent: Extent(xyz: source.map { kept[$0] }))
  }

  /// The stored indices of voxels of the reoriented grid, both `[z][y][x]`; the stored grid's size is
  /// `extent`.
  package func storedIndices(of voxels: [Int], in extent: Extent) -> [Int] {
    let sizes = extent.xyz
    let steps = [1, sizes[0], sizes[0] * sizes[1]]
    let (width, height) = (sizes[source[0]], sizes[source[1]])
    func offsets(_ axis: Int) -> [Int] {
      let (size, step) = (sizes[source[axis]], steps[source[axis]])
      return (0..<size).map { (isFlipped[axis] ? size - 1 - $0 : $0) * step }
    }
    let (xs, ys, zs) = (offsets(0), offsets(1), offsets(2))
    return voxels.map { xs[$0 % width] + ys[$0 / width % height] + zs[$0 / (width * height)] }
  }

  /// A box of the reoriented grid out of stored voxels of `extent`.
  package func gathered<Value>(
    _ box: VoxelBox, from stored: UnsafeBufferPointer<Value>, _ extent: Extent
  ) -> [Value] {
    [Value](unsafeUninitializedCapacity: box.extent.voxels) { values, count in
      gather(box, from: stored, extent, into: values)
      count = box.extent.voxels
    }
  }

  /// All of stored voxels of `extent`, reoriented.
  package func reoriented<Value>(
    _ stored: UnsafeBufferPointer<Value>, _ extent: Extent
  ) -> [Value] {
    let whole = reoriented(VoxelBox(lower: [0, 0, 0], extent: extent), in: extent)
    return gathered(whole, from: stored, extent)
  }

  /// Copies a box of the reoriented grid out of stored voxels of `extent`.
  package func gather<Value>(
    _ box: VoxelBox, from stored: UnsafeBufferPointer<Value>, _ extent: Extent,
    into values: UnsafeMutableBufferPointer<Value>
  ) {
    forEachRow(of: box, in: extent) { first, row, stride in
      for x in 0..<box.extent.width { values[row + x] = stored[first + x * stride] }
    }
  }

  /// Copies the values of a box of the reoriented grid into stored voxels of `extent`.
  package func scatter<Value>(
    _ values: UnsafeBufferPointer<Value>, _ box: VoxelBox,
    into stored: UnsafeMutableBufferPointer<Value>, _ extent: Extent
  ) {
    forEachRow(of: box, in: extent) { first, row, stride in
      for x in 0..<box.extent.width { stored[first + x * stride] = values[row + x] }
    }
  }

  /// Calls `body` with each row's first stored index, first index in the box and stored stride.
  private func forEachRow(
    of box: VoxelBox, in extent: Extent, _ body: (_ first: Int, _ row: Int, _ stride: Int) -> Void
  ) {
    let sizes = extent.xyz
    precondition(
      (0..<3).allSatisfy {
        box.lower[$0] >= 0 && box.lower[$0] + box.extent.xyz[$0] <= sizes[source[$0]]
      }, "box \(box) outside a grid of \(extent)")
    let steps = [1, sizes[0], sizes[0] * sizes[1]]
    let strides = zip(source, isFlipped).map { $1 ? -steps[$0] : steps[$0] }
    var corner = 0
    for axis in 0..<3 {
      corner += isFlipped[axis] ? (sizes[source[axis]] - 1) * steps[source[axis]] : 0
      corner += box.lower[axis] * strides[axis]
    }
    for z in 0..<box.extent.depth {
      for y in 0..<box.extent.height {
        let row = (z * box.extent.height + y) * box.extent.width
        body(corner + z * strides[2] + y * strides[1], row, strides[0])
      }
    }
  }
}
