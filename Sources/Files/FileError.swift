import Glibc

/// A refusal of the operating system.
package struct FileError: Error, Equatable {
  /// The system's error number.
  package let code: Int32

  package init(code: Int32) { self.code = code }

  /// The error of the last system call.
  package static var last: FileError { FileError(code: errno) }

  /// Whether there is no such file.
  package var isMissing: Bool { code == ENOENT || code == ENOTDIR }

  /// Whether the disk or the user's share of it is full.
  package var isFull: Bool { code == ENOSPC || code == EDQUOT }

  /// Whether the disk cannot give back what it was given.
  package var isOfTheDisk: Bool { code == EIO || code == EUCLEAN }

  /// The system's words for the error.
  package var reason: String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }
}

/// A file open for reading.
package struct InputFile: ~Copyable {
  private let descriptor: Int32
  /// The file's size in bytes.
  package let size: Int

  /// Opens `path`; a folder is refused as one.
  package init(_ path: String) throws(FileError) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = FileError.last
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw FileError(code: EISDIR)
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads the next bytes until `buffer` is full or the file ends; returns how many it read.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    var filled = 0
    while filled < buffer.count, let base = buffer.baseAddress {
      let count = Glibc.read(descriptor, base + filled, min(buffer.count - filled, 1 << 30))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw .last
      }
      filled += count
    }
    return filled
  }

  /// The next `count` bytes, or fewer where the file ends.
  package func bytes(_ count: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: FileError?
    let filled = bytes.withUnsafeMutableBytes { buffer in
      do throws(FileError) { return try read(into: buffer) } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    return filled == count ? bytes : Array(bytes[..<filled])
  }

  /// The file's bytes in the page cache, read only, for the caller to unmap.
  func map() throws(FileError) -> UnsafeRawBufferPointer {
    guard let memory = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
    else { throw .last }
    return UnsafeRawBufferPointer(start: memory, count: size)
  }

  /// All bytes of the file at `path`.
  package static func bytes(of path: String) throws(FileError) -> [UInt8] {
    let file = try InputFile(path)
    var bytes = try file.bytes(file.size)
    // A pipe, such as a shell's <(...), has no size of its own.
    while true {
      let more = try file.bytes(1 << 16)
      if more.isEmpty { return bytes }
      bytes += more
    }
  }
}

/// A file open for writing.
package final class OutputFile: Sendable {
  private let descriptor: Int32

  /// Opens `path` with `flags` added to write-only; a new file's mode follows the umask.
  package init(_ path: String, flags: Int32) throws(FileError) {
    descriptor = open(path, O_WRONLY | O_CLOEXEC | flags, 0o666)
    guard descriptor >= 0 else { throw .last }
  }

  deinit { close(descriptor) }

  /// Writes all of `bytes`, however many calls it takes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = Glibc.write(descriptor, base + done, min(bytes.count - done, 1 << 26))
      if count < 0 {
        if errno == EINTR { continue }
        throw .last
      }
      done += count
    }
  }

  /// Writes all of `bytes`.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    var failure: FileError?
    bytes.withUnsafeBytes { bytes in
      do throws(FileError) { try write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Writes `text` in UTF-8.
  package func write(_ text: String) throws(FileError) { try write(Array(text.utf8)) }

  /// The file's size in bytes.
  package var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Cuts the file to its first `size` bytes.
  package func truncate(to size: Int) { ftruncate(descriptor, size) }

  /// Waits until what was written is on the disk.
  package func sync() throws(FileError) {
    while fsync(descriptor) != 0 {
      guard errno == EINTR else { throw .last }
    }
  }
}
