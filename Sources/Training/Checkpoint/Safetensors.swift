import Files
import Tensors

/// A tensor by its name: PyTorch's shape, and the floats it is read into or written from.
package struct NamedTensor: Sendable {
  package let name: String
  package let shape: [Int]
  package let values: FloatSlice

  /// A tensor whose `values` are as many as its `shape` says.
  package init(name: String, shape: [Int], values: FloatSlice) {
    precondition(
      shape.reduce(1, *) == values.count,
      "tensor '\(name)' of shape \(shape) with \(values.count) values")
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// The safetensors format: the length of a JSON header in 8 bytes, the header, the tensors' data.
///
/// Only 32-bit floats are read and written.
package enum Safetensors {
  /// The longest header that readers of the format take, in bytes.
  static let maximumHeader = 100_000_000
  /// Bytes that the start of the data section is a multiple of.
  static let alignment = 64
  static let metadataKey = "__metadata__"
  /// Bytes written between two waits for the disk: so that progress is that of the disk, and the
  /// last wait is short.
  private static let bytesBetweenSyncs = 64 << 20

  /// Writes `tensors` to `path`, which is replaced only when the new file is complete.
  ///
  /// - Parameters:
  ///   - kind: what errors call the file.
  ///   - wrote: is told the bytes of each tensor that was written.
  ///   - willReplace: is called when the new file is complete, before it takes the old one's name.
  /// - Throws: `inputOutput` naming the path and the reason; the old file is then untouched.
  package static func write(
    _ tensors: [NamedTensor], metadata: [(key: String, value: String)], to path: String,
    kind: String = "file", wrote: (Int) -> Void = { _ in },
    willReplace: () throws(FileError) -> Void = {}
  ) throws(TrainingError) {
    let header = header(tensors.map { ($0.name, $0.shape) }, metadata)
    try AtomicFile.write(path, kind: kind, willReplace: willReplace) { file throws(FileError) in
      try begin(file, header)
      var sinceSync = 0
      for tensor in tensors {
        let bytes = UnsafeRawBufferPointer(tensor.values.values)
        try file.write(bytes)
        sinceSync += bytes.count
        if sinceSync >= bytesBetweenSyncs {
          try file.sync()
          sinceSync = 0
        }
        wrote(bytes.count)
      }
    }
  }

  /// The hash of the data section that `write` makes of `tensors`, as hexadecimal digits.
  package static func sha256(_ tensors: [NamedTensor]) -> String {
    let hash = Hash()
    for tensor in tensors { hash.update(UnsafeRawBufferPointer(tensor.values.values)) }
    return hash.hexadecimal()
  }

  /// The JSON header of tensors whose data follow each other, padded with spaces so that the data are
  /// aligned.
  static func header(
    _ tensors: [(name: String, shape: [Int])], _ metadata: [(key: String, value: String)]
  ) -> String {
    var members: [JSON.Member] = []
    if !metadata.isEmpty {
      let strings = metadata.map { JSON.Member($0.key, .string($0.value)) }
      members.append(JSON.Member(metadataKey, .object(strings)))
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + 4 * tensor.shape.reduce(1, *)
      members.append(
        JSON.Member(
          tensor.name,
          [
            "dtype": .string("F32"), "shape": .array(tensor.shape.map(JSON.integer)),
            "data_offsets": .array([.integer(offset), .integer(end)]),
          ]))
      offset = end
    }
    let text = JSON.object(members).text
    let rest = (8 + text.utf8.count) % alignment
    return text + String(repeating: " ", count: rest > 0 ? alignment - rest : 0)
  }

  /// The header's length and the header, as they begin a file.
  static func begin(_ file: OutputFile, _ header: String) throws(FileError) {
    try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes throws(FileError) in
      try file.write(bytes)
    }
    try file.write(header)
  }
}
