import Glibc

/// The terminal that a rank's messages go to, if they go to one: standard error.
///
/// Standard output is left to results, so that they can be piped on.
struct Terminal {
  /// Whether lines can be redrawn.
  let isInteractive: Bool

  /// The process's standard error.
  ///
  /// Under mpirun it is a pipe that mpirun copies to its own standard error, so that one counts.
  static var standardError: Terminal {
    if getenv("OMPI_COMM_WORLD_SIZE") == nil {
      return Terminal(isInteractive: isatty(STDERR_FILENO) == 1)
    }
    var target = [UInt8](repeating: 0, count: 256)
    let count = target.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { buffer in
        buffer.baseAddress.map {
          readlink("/proc/\(getppid())/fd/\(STDERR_FILENO)", $0, buffer.count)
        } ?? 0
      }
    }
    let path = String(decoding: target.prefix(max(0, count)), as: UTF8.self)
    return Terminal(isInteractive: path.hasPrefix("/dev/pts/") || path.hasPrefix("/dev/tty"))
  }

  /// Writes `text` as it is; a terminal that is gone is no reason to stop a run.
  func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
