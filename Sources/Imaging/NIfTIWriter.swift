import CNIfTI
import Files
import Glibc
import Tensors

extension NIfTI {
  /// Writes an image as float32; several channels become the fourth axis.
  ///
  /// The name decides: `.nii.gz` is compressed, `.nii` is not. The file appears complete or not
  /// at all.
  ///
  /// - Parameter wroteSome: is called now and then, such as to let go of mapped memory.
  /// - Throws: `inputOutput` that names the file.
  package static func write(
    _ volume: Volume, to path: String, wroteSome: () -> Void = {}
  ) throws(ImagingError) {
    let header = try header(
      volume.geometry, channels: volume.grid.shape.channels, type: .float32, path: path)
    try replace(path) { (writer) throws(ImagingError) in
      try writer.write(header)
      let bytes = UnsafeRawBufferPointer(volume.grid.values)
      for start in stride(from: 0, to: bytes.count, by: 64 << 20) {
        let end = min(bytes.count, start + (64 << 20))
        try writer.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        wroteSome()
      }
    }
  }

  /// Writes a label map as uint8, or as int16 where a label is negative or above 255.
  ///
  /// - Throws: `inputOutput` that names the file.
  package static func write(_ map: LabelMap, to path: String) throws(ImagingError) {
    let isSmall = map.labels.allSatisfy { (0...255).contains($0) }
    let header = try header(
      map.geometry, channels: 1, type: isSmall ? .uint8 : .int16, path: path)
    let bytes =
      isSmall
      ? map.labels.map { UInt8(truncatingIfNeeded: $0) } : map.labels.withUnsafeBytes(Array.init)
    try replace(path) { (writer) throws(ImagingError) in
      try writer.write(header)
      try writer.write(bytes)
    }
  }

  /// The 348 bytes of a header and the 4 that say that no extension follows.
  static func header(
    _ geometry: Geometry, channels: Int, type: VoxelType, path: String
  ) throws(ImagingError) -> [UInt8] {
    guard path.hasSuffix(".nii") || path.hasSuffix(".nii.gz") else {
      throw .inputOutput("\(path): an image is written as .nii or .nii.gz; change the name")
    }
    let sizes = geometry.extent.xyz + [channels]
    guard sizes.allSatisfy({ $0 <= 32767 }) else {
      throw .inputOutput("\(path): NIfTI-1 holds at most 32767 voxels an axis, not \(sizes)")
    }
    let dimensions = ([channels > 1 ? 4 : 3] + sizes + [1, 1, 1]).map(Int32.init)
    guard let image = nifti_make_new_nim(dimensions, Int32(type.rawValue), 0) else {
      throw .inputOutput("\(path): libnifti refuses a volume of \(geometry.extent)")
    }
    defer { nifti_image_free(image) }
    place(&image.pointee, geometry)
    var header = nifti_convert_nim2nhdr(image)
    return withUnsafeBytes(of: &header) { Array($0) } + [0, 0, 0, 0]
  }

  /// Sets both forms: the sform holds any affine, the qform what a rotation can hold of it.
  private static func place(_ image: inout nifti_image, _ geometry: Geometry) {
    let rows = geometry.affine.rows.map { $0.map(Float.init) }
    func row(_ index: Int) -> (Float, Float, Float, Float) {
      (rows[index][0], rows[index][1], rows[index][2], rows[index][3])
    }
    image.sto_xyz = mat44(m: (row(0), row(1), row(2), (0, 0, 0, 1)))
    nifti_mat44_to_quatern(
      image.sto_xyz, &image.quatern_b, &image.quatern_c, &image.quatern_d, &image.qoffset_x,
      &image.qoffset_y, &image.qoffset_z, &image.dx, &image.dy, &image.dz, &image.qfac)
    (image.pixdim.1, image.pixdim.2, image.pixdim.3) = (image.dx, image.dy, image.dz)
    // A grid without a place stays without: other programs then put it where they put its source.
    let code = geometry.isPlaced ? NIFTI_XFORM_SCANNER_ANAT : NIFTI_XFORM_UNKNOWN
    (image.qform_code, image.sform_code) = (code, code)
    image.xyz_units = NIFTI_UNITS_MM
    image.nifti_type = Int32(NIFTI_FTYPE_NIFTI1_1)
    image.iname_offset = 352
    (image.scl_slope, image.scl_inter) = (1, 0)
  }

  /// Writes beside `path` under a temporary name and renames, or leaves nothing behind.
  private static func replace(
    _ path: String, _ body: (borrowing VoxelWriter) throws(ImagingError) -> Void
  ) throws(ImagingError) {
    try AtomicFile.replace(
      path, isShared: true, failure: { VoxelWriter.failure(path, $0.reason) }
    ) { temporary throws(ImagingError) in
      var writer = try VoxelWriter(temporary, for: path)
      try body(writer)
      try writer.finish()
    }
  }
}

/// A file being written, compressed or not, whose every error counts.
private struct VoxelWriter: ~Copyable {
  private let path: String
  private var file: znzFile?

  /// Creates `temporary`, which will become `path`.
  init(_ temporary: String, for path: String) throws(ImagingError) {
    self.path = path
    errno = 0
    file = znzopen(temporary, "wb", path.hasSuffix(".gz") ? 1 : 0)
    guard file != nil else { throw failure() }
  }

  deinit {
    var file = file
    if file != nil { Xznzclose(&file) }
  }

  private func failure() -> ImagingError {
    Self.failure(path, errno == 0 ? "unknown error" : FileError.last.reason)
  }

  static func failure(_ path: String, _ reason: String) -> ImagingError {
    .inputOutput("\(path) cannot be written: \(reason)")
  }

  func write(_ bytes: [UInt8]) throws(ImagingError) {
    let isDone = bytes.withUnsafeBytes { self.isWritten($0) }
    guard isDone else { throw failure() }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ImagingError) {
    guard isWritten(bytes) else { throw failure() }
  }

  private func isWritten(_ bytes: UnsafeRawBufferPointer) -> Bool {
    errno = 0
    return znzwrite(bytes.baseAddress, 1, bytes.count, file) == bytes.count
  }

  mutating func finish() throws(ImagingError) {
    errno = 0
    let status = Xznzclose(&file)
    file = nil
    guard status == 0 else { throw failure() }
  }
}
