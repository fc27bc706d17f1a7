import CNIfTI
import Tensors

/// What a NIfTI-1 header says, checked before anything relies on it.
struct NIfTIHeader {
  /// The bytes of the header itself.
  static let size = 348

  let geometry: Geometry
  let channels: Int
  let type: VoxelType
  let isSwapped: Bool
  /// Bytes from the file's start to its first voxel.
  let dataOffset: Int
  /// Stored value to intensity; (1, 0) where the file names none.
  let scale: (slope: Double, intercept: Double)

  /// Reads a header of 348 bytes of the file at `path`, which holds `fileSize` bytes.
  ///
  /// - Throws: `badData` that names the file and the field.
  init(_ bytes: [UInt8], path: String, fileSize: Int) throws(ImagingError) {
    let fields = try HeaderFields(bytes, path: path)
    let sizes = try fields.sizes()
    type = try fields.voxelType()
    geometry = Geometry(
      extent: Extent(xyz: Array(sizes.prefix(3))), affine: try fields.affine(),
      isPlaced: fields.isPlaced)
    channels = sizes[3]
    isSwapped = fields.isSwapped
    dataOffset = try fields.dataOffset()
    scale = try fields.scale()
    // Deflate shrinks by at most 1032 : 1, so a compressed file bounds its contents too.
    let bytesNeeded = Double(geometry.extent.voxels) * Double(channels * type.bytes)
    let bytesPossible = Double(fileSize) * (path.hasSuffix(".gz") ? 1040 : 1)
    guard bytesNeeded + Double(dataOffset) <= bytesPossible else {
      throw fields.bad(
        "the header promises \(geometry.extent) x \(channels) voxels of \(type), more than the "
          + "file's \(fileSize) bytes can hold; the file is truncated, copy it again")
    }
  }
}

/// The fields of a NIfTI-1 header by their byte offsets (nifti1.h), in either byte order.
private struct HeaderFields {
  let bytes: [UInt8]
  let path: String
  let isSwapped: Bool

  init(_ bytes: [UInt8], path: String) throws(ImagingError) {
    let size = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    self.bytes = bytes
    self.path = path
    isSwapped = size.byteSwapped == 348
    let magic = String(decoding: bytes[344..<347], as: UTF8.self)
    if size == 540 || size.byteSwapped == 540 {
      throw bad("this is NIfTI-2; convert it to NIfTI-1 (for example with nifti_tool or nibabel)")
    }
    guard size == 348 || isSwapped, magic == "n+1" || magic == "ni1" else {
      throw bad("this is not a NIfTI-1 file (its header has no NIfTI-1 size and magic)")
    }
    guard magic == "n+1" else {
      throw bad("this is half of a .hdr/.img pair; convert the pair to one .nii.gz")
    }
  }

  func bad(_ message: String) -> ImagingError { .badData("\(path): \(message)") }

  func int16(_ offset: Int) -> Int16 {
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int16.self) }
    return isSwapped ? value.byteSwapped : value
  }

  func float(_ offset: Int) -> Float {
    let bits = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    return Float(bitPattern: isSwapped ? bits.byteSwapped : bits)
  }

  func floats(_ offset: Int, _ count: Int) -> [Float] {
    (0..<count).map { float(offset + 4 * $0) }
  }

  /// Voxels along x, y, z and the number of channels.
  func sizes() throws(ImagingError) -> [Int] {
    let count = Int(int16(40))
    guard (1...7).contains(count) else { throw bad("dim[0] is \(count), not 1 to 4") }
    var sizes = (1...count).map { Int(int16(40 + 2 * $0)) }
    guard sizes.allSatisfy({ $0 >= 1 }) else {
      throw bad("dim lists the sizes \(sizes); each must be at least 1")
    }
    sizes += Array(repeating: 1, count: max(0, 4 - sizes.count))
    guard sizes.dropFirst(3).count(where: { $0 > 1 }) <= 1 else {
      throw bad("dim lists the sizes \(sizes); an image has x, y, z and channels only")
    }
    return Array(sizes.prefix(3)) + [sizes.dropFirst(3).reduce(1, *)]
  }

  func voxelType() throws(ImagingError) -> VoxelType {
    let code = int16(70)
    guard let type = VoxelType(rawValue: code) else {
      throw bad(
        "datatype \(code) is not a plain number (complex, RGB and 128-bit voxels are not images "
          + "to learn from); convert it to float32")
    }
    guard int16(72) == 0 || Int(int16(72)) == 8 * type.bytes else {
      throw bad("bitpix is \(int16(72)), but \(type) has \(8 * type.bytes) bits")
    }
    return type
  }

  func dataOffset() throws(ImagingError) -> Int {
    let offset = float(108)
    guard offset == 0 || (offset >= 352 && offset < 0x1p40) else {
      throw bad("vox_offset is \(offset), not 352 or more")
    }
    return offset == 0 ? 352 : Int(offset)
  }

  func scale() throws(ImagingError) -> (slope: Double, intercept: Double) {
    let (slope, intercept) = (float(112), float(116))
    guard slope != 0 && slope.isFinite else { return (1, 0) }
    guard intercept.isFinite else { throw bad("scl_inter is \(intercept), not a number") }
    return (Double(slope), Double(intercept))
  }

  /// Whether there is an sform or a qform.
  var isPlaced: Bool { int16(254) > 0 || int16(252) > 0 }

  /// The sform where there is one, else the qform, else the spacing alone.
  func affine() throws(ImagingError) -> Affine {
    let spacing = try spacing()
    let affine: Affine
    if int16(254) > 0 {
      affine = Affine(rows: (0..<3).map { row in floats(280 + 16 * row, 4).map(Double.init) })
    } else if int16(252) > 0 {
      affine = quaternionAffine(spacing)
    } else {
      affine = Affine(spacing: spacing.map(Double.init))
    }
    let form = int16(254) > 0 ? "sform" : "qform"
    guard affine.rows.joined().allSatisfy(\.isFinite) else {
      throw bad("the \(form) holds NaN or infinity; write a valid one")
    }
    let box = affine.spacing.reduce(1, *)
    guard box > 0 && box.isFinite && abs(affine.determinant) > 1e-6 * box else {
      throw bad("the \(form) is singular: its axes \(affine.axes) do not span space")
    }
    return affine
  }

  private func spacing() throws(ImagingError) -> [Float] {
    let axes = min(3, Int(int16(40)))
    let spacing = floats(80, axes)
    guard spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw bad("pixdim lists the spacing \(spacing) mm; each must be positive and finite")
    }
    return spacing + Array(repeating: 1, count: 3 - axes)
  }

  private func quaternionAffine(_ spacing: [Float]) -> Affine {
    let (b, offset) = (floats(256, 3), floats(268, 3))
    let matrix = nifti_quatern_to_mat44(
      b[0], b[1], b[2], offset[0], offset[1], offset[2], spacing[0], spacing[1], spacing[2],
      float(76) < 0 ? -1 : 1)
    return Affine(rows: matrix.rows)
  }
}

extension mat44 {
  fileprivate var rows: [[Double]] {
    [m.0, m.1, m.2].map { [Double($0.0), Double($0.1), Double($0.2), Double($0.3)] }
  }
}
