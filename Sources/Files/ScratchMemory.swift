import Glibc

/// Memory for a time, zero at first: the process's own, or for more than that may hold a file without
/// a name, which the system writes out and reads back.
package final class ScratchMemory: @unchecked Sendable {
  /// All of it; valid while this object lives.
  package let bytes: UnsafeMutableRawBufferPointer
  private let isFile: Bool

  /// - Parameter folder: where the file is made, which is gone with this object; nil for no file.
  /// - Throws: the system's refusal, also where the disk has no room: it is claimed at once, for a
  ///   disk that fills up later would end the process.
  package init(bytes count: Int, in folder: String?) throws(FileError) {
    var descriptor: Int32 = -1
    if let folder { descriptor = try Self.file(of: count, in: folder) }
    defer { if descriptor >= 0 { close(descriptor) } }
    let kind = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
    guard let memory = mmap(nil, max(count, 1), PROT_READ | PROT_WRITE, kind, descriptor, 0),
      memory != MAP_FAILED
    else { throw .last }
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: count)
    isFile = folder != nil
  }

  deinit { munmap(bytes.baseAddress, max(bytes.count, 1)) }

  /// Gives the memory back to the system where a file holds what is in it; reading brings it back.
  package func letGo() {
    guard isFile else { return }
    msync(bytes.baseAddress, bytes.count, MS_ASYNC)
    madvise(bytes.baseAddress, bytes.count, MADV_DONTNEED)
  }

  private static func file(of count: Int, in folder: String) throws(FileError) -> Int32 {
    var name = Array("\(folder)/.lkdist-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw .last }
    unlink(name)
    let code = posix_fallocate(descriptor, 0, max(count, 1))
    guard code == 0 else {
      close(descriptor)
      throw FileError(code: code)
    }
    return descriptor
  }
}
