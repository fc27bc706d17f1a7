import Files
import Glibc
import Synchronization

/// A file that grows by whole pieces: what the disk refuses waits in memory, and no piece is in the
/// file in part.
final class AppendedFile: Sendable {
  private struct State {
    /// Opened by the first write.
    var file: OutputFile?
    /// The bytes of the file's whole pieces.
    var size = 0
    var waiting: [UInt8] = []
  }

  private let path: String
  private let state = Mutex(State())

  /// The file at `path`, which is made where it is missing.
  init(_ path: String) { self.path = path }

  /// Keeps a piece in memory for the next `write`.
  func hold(_ piece: [UInt8]) { state.withLock { $0.waiting += piece } }

  /// Writes all that waits in a single call, and takes back what was written of it if the rest was
  /// refused.
  ///
  /// - Throws: `inputOutput` if the disk refuses; all of it then goes on waiting.
  func write() throws(TrainingError) {
    do throws(FileError) {
      try state.withLock { state throws(FileError) in try Self.write(&state, to: path) }
    } catch {
      throw .inputOutput("cannot write \(path): \(error.reason); make room")
    }
  }

  private static func write(_ state: inout State, to path: String) throws(FileError) {
    let file = try opened(&state, path)
    do throws(FileError) { try file.write(state.waiting) } catch {
      file.truncate(to: state.size)
      throw error
    }
    state.size += state.waiting.count
    state.waiting = []
  }

  private static func opened(
    _ state: inout State, _ path: String
  ) throws(FileError) -> OutputFile {
    if let file = state.file { return file }
    let file = try OutputFile(path, flags: O_CREAT | O_APPEND)
    (state.file, state.size) = (file, file.size)
    return file
  }
}
