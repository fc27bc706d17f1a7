import Tensors

/// NIfTI-1 files, .nii and .nii.gz, read and written through libnifti.
package enum NIfTI {
  /// Reads the grid of a file without its voxels.
  ///
  /// - Throws: `missing`, `badData` or `inputOutput` that names the file.
  package static func readGeometry(_ path: String) throws(ImagingError) -> (
    geometry: Geometry, channels: Int
  ) {
    let file = try VoxelFile(reading: path)
    let header = try readHeader(file)
    return (header.geometry, header.channels)
  }

  /// Reads the grid of a file, turned so that its axes point as `orientation` says, such as "RAS".
  ///
  /// - Throws: as `readGeometry`, or `configuration` for what is no orientation.
  package static func readGeometry(
    _ path: String, reoriented orientation: String
  ) throws(ImagingError) -> Geometry {
    let geometry = try readGeometry(path).geometry
    return try AxisMapping(from: geometry.affine, to: orientation).reoriented(geometry)
  }

  /// Reads an image; the fourth axis of a 4-D file becomes channels.
  ///
  /// - Parameter allowsNonFinite: whether NaN and infinite voxels are kept instead of refused.
  /// - Throws: `missing`, `badData` or `inputOutput` that names the file.
  package static func readImage(
    _ path: String, allowsNonFinite: Bool = false
  ) throws(ImagingError) -> Volume {
    var file = try VoxelFile(reading: path)
    let header = try readHeader(file)
    let shape = Shape(channels: header.channels, extent: header.geometry.extent)
    var grid = VoxelGrid(zeros: shape)
    let values = grid.mutableValues()
    var nonFinite = 0
    try readVoxels(&file, header) { first, chunk in
      for (index, value) in chunk.enumerated() {
        let value = Float(value)
        values[first + index] = value
        nonFinite += value.isFinite ? 0 : 1
      }
    }
    guard allowsNonFinite || nonFinite == 0 else {
      throw .badData(
        "\(path): \(nonFinite) of \(shape.count) voxels are NaN or infinite; replace them "
          + "(for example by 0) before training")
    }
    return Volume(grid: grid, geometry: header.geometry)
  }

  /// Reads a label map of a single 3-D volume; a value within 1e-3 of an integer is that label.
  ///
  /// - Throws: `badData` that names the value and voxel that is no label; `missing`, `inputOutput`.
  package static func readLabels(_ path: String) throws(ImagingError) -> LabelMap {
    var file = try VoxelFile(reading: path)
    let header = try readHeader(file)
    guard header.channels == 1 else {
      throw .badData("\(path): a label map has one channel, not \(header.channels)")
    }
    var labels = [Int16](repeating: 0, count: header.geometry.extent.voxels)
    var failure: (index: Int, value: Double)?
    try readVoxels(&file, header) { first, chunk in
      for (index, value) in chunk.enumerated() {
        if let label = LabelMap.label(of: value) {
          labels[first + index] = label
        } else if failure == nil {
          failure = (first + index, value)
        }
      }
    }
    if let failure {
      let voxel = header.geometry.extent.voxel(at: failure.index)
      throw .badData(
        "\(path): voxel \(voxel) (x, y, z) holds \(failure.value), which is no label; labels are "
          + "integers from -32768 to 32767")
    }
    return LabelMap(labels: labels, geometry: header.geometry)
  }

  /// Reads and checks the header of a file that was just opened.
  static func readHeader(_ file: borrowing VoxelFile) throws(ImagingError) -> NIfTIHeader {
    guard file.size > 0 else { throw .badData("\(file.path) is empty; copy it again") }
    var bytes = [UInt8](repeating: 0, count: NIfTIHeader.size)
    try VoxelFile.withBytes(of: &bytes) { (bytes) throws(ImagingError) in
      try file.read(into: bytes)
    }
    return try NIfTIHeader(bytes, path: file.path, fileSize: file.size)
  }

  /// Hands all voxels, scaled, to `consume` in pieces that fit the cache.
  static func readVoxels(
    _ file: inout VoxelFile, _ header: NIfTIHeader,
    _ consume: (_ first: Int, _ values: UnsafeMutableBufferPointer<Double>) -> Void
  ) throws(ImagingError) {
    try file.skip(header.dataOffset - NIfTIHeader.size)
    let total = header.geometry.extent.voxels * header.channels
    let chunk = min(total, 1 << 14)
    var raw = [UInt8](repeating: 0, count: chunk * header.type.bytes)
    var values = [Double](repeating: 0, count: chunk)
    for first in stride(from: 0, to: total, by: chunk) {
      let count = min(chunk, total - first)
      try VoxelFile.withBytes(of: &raw) { (bytes) throws(ImagingError) in
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<(count * header.type.bytes)])
        try file.read(into: part)
        values.withUnsafeMutableBufferPointer {
          let numbers = UnsafeMutableBufferPointer(rebasing: $0[..<count])
          decode(UnsafeRawBufferPointer(part), header, into: numbers)
          consume(first, numbers)
        }
      }
    }
    try file.finish()
  }

  private static func decode(
    _ raw: UnsafeRawBufferPointer, _ header: NIfTIHeader,
    into numbers: UnsafeMutableBufferPointer<Double>
  ) {
    header.type.decode(raw, isSwapped: header.isSwapped, into: numbers)
    let (slope, intercept) = header.scale
    guard slope != 1 || intercept != 0 else { return }
    for index in numbers.indices { numbers[index] = numbers[index] * slope + intercept }
  }
}

extension Extent {
  /// The voxel (x, y, z) of an index into `[z][y][x]`.
  func voxel(at index: Int) -> [Int] {
    [index % width, index / width % height, index / (width * height)]
  }
}
