import Files
import Tensors

/// What a safetensors file says it holds, every statement checked against the file's size.
package struct SafetensorsFile: Sendable {
  /// One tensor of the file.
  package struct Entry: Equatable, Sendable {
    package let name: String
    package let shape: [Int]
    /// Its bytes, counted from the start of the data section.
    package let range: Range<Int>
  }

  package let path: String
  /// The strings of `__metadata__`.
  package let metadata: [String: String]
  /// The tensors in the order of their data.
  package let entries: [Entry]
  /// The bytes before the data section.
  private let dataStart: Int

  /// Reads and checks the header of the file at `path`.
  ///
  /// - Throws: `missing` for no such file, `damaged` for a cut or garbled one, `inputOutput` for one
  ///   that may not be read.
  package init(_ path: String) throws(TrainingError) {
    let header: SafetensorsHeader
    do throws(FileError) {
      let file = try InputFile(path)
      let bytes = try file.bytes(min(file.size, 8))
      let length = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let room = min(file.size - 8, Safetensors.maximumHeader)
      if bytes.count == 8, room >= 0, length <= UInt64(room) {
        header = SafetensorsHeader(
          try file.bytes(Int(length)), dataBytes: file.size - 8 - Int(length))
        dataStart = 8 + Int(length)
      } else {
        header = SafetensorsHeader(reason: "its header is longer than the file")
        dataStart = 0
      }
    } catch {
      throw Self.unreadable(path, error)
    }
    if let reason = header.reason { throw .damaged(file: path, reason: reason) }
    self.path = path
    metadata = header.metadata
    entries = header.entries
  }

  /// Reads the file's tensors into those of `tensors` with their names; others are passed over.
  ///
  /// Names and element counts must fit; `Checkpoint` compares them first.
  /// - Returns: the hash of the whole data section as hexadecimal digits.
  /// - Throws: `damaged` for a file that the disk cannot read or that has become shorter.
  package func read(into tensors: [NamedTensor]) throws(TrainingError) -> String {
    let wanted = Dictionary(tensors.map { ($0.name, $0.values) }) { first, _ in first }
    let hash = Hash()
    do throws(FileError) {
      let file = try InputFile(path)
      var isComplete = try pass(dataStart, of: file, hash: nil)
      for entry in entries where isComplete {
        if let values = wanted[entry.name] {
          precondition(
            4 * values.count == entry.range.count,
            "tensor '\(entry.name)' of \(entry.range.count / 4) values into \(values.count)")
          let bytes = UnsafeMutableRawBufferPointer(values.mutableValues)
          isComplete = try file.read(into: bytes) == bytes.count
          hash.update(UnsafeRawBufferPointer(bytes))
        } else {
          isComplete = try pass(entry.range.count, of: file) { hash.update($0) }
        }
      }
      if isComplete { return hash.hexadecimal() }
    } catch {
      throw Self.unreadable(path, error)
    }
    throw .damaged(file: path, reason: "it ends early")
  }

  /// Replaces the file by one of the same tensors with other metadata.
  ///
  /// - Throws: `inputOutput` naming the file, which is then untouched.
  package func replaceMetadata(_ metadata: [String: String]) throws(TrainingError) {
    let header = Safetensors.header(
      entries.map { ($0.name, $0.shape) },
      metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    try AtomicFile.write(path, kind: "checkpoint") { output throws(FileError) in
      try Safetensors.begin(output, header)
      let input = try InputFile(path)
      _ = try pass(dataStart, of: input, hash: nil)
      while true {
        let bytes = try input.bytes(1 << 20)
        if bytes.isEmpty { return }
        try output.write(bytes)
      }
    }
  }

  /// Reads `count` bytes that no tensor wants; false where the file ends before.
  private func pass(
    _ count: Int, of file: borrowing InputFile, hash: (([UInt8]) -> Void)?
  ) throws(FileError) -> Bool {
    var rest = count
    while rest > 0 {
      let bytes = try file.bytes(min(rest, 1 << 20))
      if bytes.isEmpty { return false }
      hash?(bytes)
      rest -= bytes.count
    }
    return true
  }

  private static func unreadable(_ path: String, _ error: FileError) -> TrainingError {
    if error.isMissing { return .missing("no checkpoint at \(path): check the path") }
    if error.isOfTheDisk { return .damaged(file: path, reason: error.reason) }
    return .inputOutput("cannot read the checkpoint \(path): \(error.reason)")
  }
}
