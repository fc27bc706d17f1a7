import Glibc

/// The terminal that a rank's messages go to, if they go to one: standard error.
///
/// Standard output is left to results, so that they can be piped on.
struct Terminal: Sendable {
  /// The open device whose lines can be redrawn; nil where messages go elsewhere.
  private let device: Int32?

  /// Whether lines can be redrawn.
  var isInteractive: Bool { device != nil }

  /// The columns of its lines as they are now; 80 where it does not say.
  var columns: Int {
    var size = winsize()
    guard let device, ioctl(device, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return 80
    }
    return Int(size.ws_col)
  }

  /// Clears the line that stands, whoever drew it.
  static let clear = "\r\u{1B}[K"

  /// The process's standard error.
  ///
  /// Under mpirun it is a pipe that mpirun copies to its own standard error, so that one counts.
  static var standardError: Terminal {
    if let kind = getenv("TERM"), strcmp(kind, "dumb") == 0 { return Terminal(device: nil) }
    guard getenv("OMPI_COMM_WORLD_SIZE") != nil else {
      return Terminal(device: isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : nil)
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
    guard path.hasPrefix("/dev/pts/") || path.hasPrefix("/dev/tty") else {
      return Terminal(device: nil)
    }
    let device = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    return Terminal(device: device < 0 ? nil : device)
  }

  /// Writes `text` as it is; a terminal that is gone is no reason to stop a run.
  func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
