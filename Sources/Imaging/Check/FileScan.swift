import Tensors

/// What one read of a NIfTI file tells, without keeping its voxels; ranks send it to the root.
package struct FileScan: Codable, Equatable, Sendable {
  /// As the data set names it.
  package let path: String
  /// The bytes on disk.
  private(set) var bytes = 0
  /// Nil where the header cannot be used.
  private(set) var grid: ScannedGrid?
  /// One per channel; empty where the file cannot be read to its end.
  private(set) var channels: [ChannelTally] = []
  /// What the voxels are as labels; nil for an image.
  private(set) var labels: LabelTally?
  /// Why the file cannot be read; nil where it can.
  private(set) var failure: String?

  /// Reads the file at `path` once, to its end.
  package init(_ path: String, isLabelMap: Bool) {
    self.path = path
    do throws(ImagingError) { try read(isLabelMap: isLabelMap) } catch {
      failure = error.description
    }
  }

  private mutating func read(isLabelMap: Bool) throws(ImagingError) {
    var file = try VoxelFile(reading: path)
    bytes = file.size
    let header = try NIfTI.readHeader(file)
    grid = ScannedGrid(header.geometry)
    let voxels = header.geometry.extent.voxels
    var channels = (0..<header.channels).map { _ in ChannelTally() }
    var labels = LabelTally()
    try NIfTI.readVoxels(&file, header) { first, values in
      if isLabelMap { labels.add(values, from: first) }
      // A piece of the file may hold the end of one channel and the start of the next.
      var start = 0
      while start < values.count {
        let channel = (first + start) / voxels
        let end = min(values.count, (channel + 1) * voxels - first)
        channels[channel].add(UnsafeMutableBufferPointer(rebasing: values[start..<end]))
        start = end
      }
    }
    self.channels = channels
    self.labels = isLabelMap ? labels : nil
  }

  /// The grid of the file; nil where its header cannot be used.
  var geometry: Geometry? { grid?.geometry }
}

/// A `Geometry` in plain numbers.
struct ScannedGrid: Codable, Equatable, Sendable {
  private let sizes: [Int]
  private let rows: [[Double]]
  private let isPlaced: Bool

  init(_ geometry: Geometry) {
    sizes = geometry.extent.xyz
    rows = geometry.affine.rows
    isPlaced = geometry.isPlaced
  }

  var geometry: Geometry {
    Geometry(extent: Extent(xyz: sizes), affine: Affine(rows: rows), isPlaced: isPlaced)
  }
}

/// The intensities of one channel, summed up as they pass by.
struct ChannelTally: Codable, Equatable, Sendable {
  /// NaN and infinite voxels, those beyond single precision included.
  private(set) var nonFinite = 0
  /// The least and greatest finite intensity; nil while there is none.
  private(set) var range: ClosedRange<Float>?
  /// Equal for equal voxels, and hardly ever for others.
  private(set) var fingerprint: UInt64 = 0

  /// Whether all finite voxels have one value.
  var isConstant: Bool { range.map { $0.lowerBound == $0.upperBound } ?? true }

  mutating func add(_ values: UnsafeMutableBufferPointer<Double>) {
    var (lower, upper) = (Float.infinity, -Float.infinity)
    var hash = fingerprint
    for value in values {
      let value = Float(value)
      hash = RandomStream.mix(hash ^ UInt64(value.bitPattern) &+ 1)
      guard value.isFinite else {
        nonFinite += 1
        continue
      }
      lower = min(lower, value)
      upper = max(upper, value)
    }
    fingerprint = hash
    guard lower <= upper else { return }
    range = min(lower, range?.lowerBound ?? lower)...max(upper, range?.upperBound ?? upper)
  }
}

/// The values of a label map, counted as they pass by.
struct LabelTally: Codable, Equatable, Sendable {
  /// A voxel that holds no label.
  struct Stray: Codable, Equatable, Sendable {
    let index: Int
    /// As text, for JSON has no NaN.
    let value: String
  }

  /// Voxels per label.
  private(set) var counts: [Int16: Int] = [:]
  /// Voxels within 1e-3 of a label that are not exactly it.
  private(set) var unrounded = 0
  /// Voxels that are no label, and the first of them.
  private(set) var strays = 0
  private(set) var firstStray: Stray?

  mutating func add(_ values: UnsafeMutableBufferPointer<Double>, from first: Int) {
    var (current, run): (Int16?, Int) = (nil, 0)
    for (index, value) in values.enumerated() {
      let label = LabelMap.label(of: value)
      if label != current {
        count(current, run)
        (current, run) = (label, 0)
      }
      run += 1
      if let label { unrounded += Double(label) == value ? 0 : 1 }
      if label == nil, firstStray == nil {
        firstStray = Stray(index: first + index, value: "\(value)")
      }
    }
    count(current, run)
  }

  private mutating func count(_ label: Int16?, _ voxels: Int) {
    guard voxels > 0 else { return }
    if let label { counts[label, default: 0] += voxels } else { strays += voxels }
  }
}
