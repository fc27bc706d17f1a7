import CNIfTI
import Foundation

/// A .nii or .nii.gz file open for reading from its start.
///
/// libznz reads plain files through the same calls; a short or damaged stream is an error here,
/// where libnifti would only warn.
struct VoxelFile: ~Copyable {
  let path: String
  /// The bytes on disk, compressed or not.
  let size: Int
  private var file: znzFile?

  /// Opens the file at `path`.
  ///
  /// - Throws: `missing` where there is none, `inputOutput` where it cannot be opened.
  init(reading path: String) throws(ImagingError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw errno == ENOENT || errno == ENOTDIR
        ? .missing("\(path): no such file") : Self.failure(path, "cannot be opened")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw .inputOutput("\(path) is a folder, not a NIfTI file")
    }
    // Opening a pipe would wait for a writer that may never come.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .inputOutput("\(path) is a pipe or device; give a file")
    }
    file = znzopen(path, "rb", 1)
    guard file != nil else { throw Self.failure(path, "cannot be opened") }
    self.path = path
    size = Int(status.st_size)
  }

  deinit {
    var file = file
    if file != nil { Xznzclose(&file) }
  }

  /// Fills `buffer` with the next bytes.
  ///
  /// - Throws: `badData` where the file ends before or its compressed data is damaged.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImagingError) {
    let count = try readSome(into: buffer)
    guard count == buffer.count else {
      throw .badData(
        "\(path) is truncated: it ends \(buffer.count - count) bytes early or more; copy it again")
    }
  }

  /// Passes over `count` bytes.
  func skip(_ count: Int) throws(ImagingError) {
    var left = count
    var scratch = [UInt8](repeating: 0, count: min(count, 1 << 16))
    while left > 0 {
      let part = min(left, scratch.count)
      try Self.withBytes(of: &scratch) { (bytes) throws(ImagingError) in
        try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<part]))
      }
      left -= part
    }
  }

  /// Reads on to the end and closes, so that a damaged tail and a wrong checksum are seen.
  mutating func finish() throws(ImagingError) {
    var scratch = [UInt8](repeating: 0, count: 1 << 16)
    var count = 1
    while count > 0 {
      count = try Self.withBytes(of: &scratch) { (bytes) throws(ImagingError) in
        try readSome(into: bytes)
      }
    }
    let status = Xznzclose(&file)
    file = nil
    guard status == 0 else {
      throw .badData("\(path) is truncated: its compressed stream has no end; copy it again")
    }
  }

  private func readSome(into buffer: UnsafeMutableRawBufferPointer) throws(ImagingError) -> Int {
    let count = znzread(buffer.baseAddress, 1, buffer.count, file)
    guard count >= 0 else {
      throw .badData("\(path) is damaged: its compressed data cannot be read; copy it again")
    }
    return count
  }

  private static func failure(_ path: String, _ what: String) -> ImagingError {
    .inputOutput("\(path) \(what): \(String(cString: strerror(errno)))")
  }

  /// `withUnsafeMutableBytes` that keeps the error's type.
  static func withBytes<Result>(
    of array: inout [UInt8],
    _ body: (UnsafeMutableRawBufferPointer) throws(ImagingError) -> Result
  ) throws(ImagingError) -> Result {
    let result = array.withUnsafeMutableBytes { bytes in
      Swift.Result { () throws(ImagingError) in try body(bytes) }
    }
    return try result.get()
  }
}
