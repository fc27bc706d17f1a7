import Tensors

/// The memory that segmenting a volume takes besides image, networks and result, by the number of
/// planes that are made final at a time.
package struct BandDemand: Sendable {
  private let channels: Int
  private let passes: Int
  private let patchDepth: Int
  private let extent: Extent

  /// - Parameters:
  ///   - channels: those of probabilities and attention.
  ///   - passes: networks times mirrorings, each of which has sums of its own.
  ///   - patchDepth: the most planes of a window.
  package init(extent: Extent, channels: Int, passes: Int, patchDepth: Int) {
    (self.extent, self.channels, self.passes) = (extent, channels, passes)
    self.patchDepth = patchDepth
  }

  /// The most bytes at a time with bands of `planes` planes.
  package func bytes(planes: Int) -> Int {
    let span = span(planes: planes)
    let (sums, left) = (channels + 1, span - planes)
    // The slab at work with what is cut from it, what several passes hold over, and the mean.
    var grids = sums * span + (passes > 1 ? passes * sums * left : 0)
    if left > 0 { grids += channels * planes }
    if passes > 1 { grids += channels * planes }
    return 4 * extent.height * extent.width * grids
  }

  /// The most planes at work.
  private func span(planes: Int) -> Int { min(extent.depth, planes - 1 + patchDepth) }

  /// The planes that a pass's sums have room for all the time: as many as are ever at work for a single
  /// pass, 0 for one of several.
  func room(planes: Int) -> Int { passes > 1 ? 0 : span(planes: planes) }

  /// The fewest bands of planes that stay within `limit` bytes; with `limit` nil one band.
  ///
  /// - Returns: the planes of a band, or nil where not even the thinnest fit.
  package func planes(within limit: Int?) -> Int? {
    guard let limit else { return extent.depth }
    var bands = 1
    while true {
      let planes = (extent.depth + bands - 1) / bands
      if bytes(planes: planes) <= limit { return planes }
      if planes <= thinnest { return nil }
      bands += 1
    }
  }

  /// The planes of the thinnest band in use.
  package var thinnest: Int { max(1, min(extent.depth, patchDepth / 8)) }

  /// The whole volume in runs of `planes` planes.
  package func bands(of planes: Int) -> [Range<Int>] {
    stride(from: 0, to: extent.depth, by: planes).map { $0..<min(extent.depth, $0 + planes) }
  }
}
