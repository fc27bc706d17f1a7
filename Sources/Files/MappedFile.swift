import Glibc

/// A file's bytes in the page cache, which all processes of a host that map it share.
///
/// Read only. A file that is cut while it is mapped ends the process at the next look at what was
/// cut, so files that are mapped are replaced, never changed.
package final class MappedFile: @unchecked Sendable {
  /// The whole file; valid while this object lives.
  package let bytes: UnsafeRawBufferPointer

  /// Maps the file at `path`.
  package init(_ path: String) throws(FileError) {
    let file = try InputFile(path)
    bytes = try file.map()
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
