import Tensors
import TestSupport
import Testing
import Training

/// Tensors of known values: value i of tensor t is t + i / 8.
func sampleTensors(_ shapes: [(String, [Int])], offset: Float = 0) -> [NamedTensor] {
  shapes.enumerated().map { index, named in
    let values = FloatBuffer(zeros: named.1.reduce(1, *)).slice
    for i in 0..<values.count {
      values.mutableValues[i] = offset + Float(index) + Float(i) / 8
    }
    return NamedTensor(name: named.0, shape: named.1, values: values)
  }
}

/// Zeros in the shapes of `tensors`, to read into.
func blanks(_ tensors: [NamedTensor]) -> [NamedTensor] {
  tensors.map {
    NamedTensor(
      name: $0.name, shape: $0.shape, values: FloatBuffer(zeros: $0.values.count).slice)
  }
}

func values(_ tensors: [NamedTensor]) -> [[Float]] { tensors.map { Array($0.values.values) } }

@Suite struct SafetensorsTests {
  private let tensors = sampleTensors([
    ("encoder.0.weight", [4, 2, 3, 3, 3]), ("encoder.0.bias", [4]), ("empty", [0, 3]),
    ("scalar", []),
  ])

  private func write(_ folder: TemporaryFolder) throws {
    let metadata = [("note", "a \"quoted\" é"), ("more", "")]
    try Safetensors.write(tensors, metadata: metadata, to: folder.file("a.safetensors"))
  }

  /// A file with the given header text and this many bytes of data.
  private func file(_ folder: TemporaryFolder, header: String, data: Int) throws -> String {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    let bytes = length + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    try folder.write(bytes, to: "b.safetensors")
    return folder.file("b.safetensors")
  }

  @Test func `tensors and metadata are read back`() throws {
    let folder = try TemporaryFolder()
    try write(folder)
    let file = try SafetensorsFile(folder.file("a.safetensors"))
    #expect(file.metadata == ["note": "a \"quoted\" é", "more": ""])
    #expect(file.entries.map(\.name).sorted() == tensors.map(\.name).sorted())
    let read = blanks(tensors)
    let hash = try file.read(into: read.reversed())
    #expect(values(read) == values(tensors))
    #expect(hash == Safetensors.sha256(tensors))
    #expect(try file.read(into: [read[1]]) == hash)
    #expect(folder.names == ["a.safetensors"])
  }

  @Test func `the layout is that of the format`() throws {
    let folder = try TemporaryFolder()
    try write(folder)
    let bytes = try folder.bytes("a.safetensors")
    let length = Int(bytes[0]) + Int(bytes[1]) << 8
    #expect((8 + length) % 64 == 0)
    #expect(bytes[8] == UInt8(ascii: "{"))
    #expect(bytes.count == 8 + length + 4 * tensors.map(\.values.count).reduce(0, +))
    // 0.125 is the second value of the first tensor.
    #expect(Array(bytes[8 + length..<8 + length + 8]) == [0, 0, 0, 0, 0, 0, 0, 0x3e])
  }

  @Test func `a file cut at any byte is refused`() throws {
    let folder = try TemporaryFolder()
    try write(folder)
    let bytes = try folder.bytes("a.safetensors")
    for count in 0..<bytes.count {
      try folder.write(Array(bytes[..<count]), to: "cut")
      #expect(throws: TrainingError.self) { try SafetensorsFile(folder.file("cut")) }
    }
    try folder.write(bytes + [0], to: "cut")
    #expect(throws: TrainingError.self) { try SafetensorsFile(folder.file("cut")) }
  }

  @Test func `random changes of the header never crash`() throws {
    let folder = try TemporaryFolder()
    try write(folder)
    let bytes = try folder.bytes("a.safetensors")
    var state: UInt64 = 1
    for _ in 0..<500 {
      var changed = bytes
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        changed[Int(state >> 33) % 420] = UInt8(truncatingIfNeeded: state >> 24)
      }
      try folder.write(changed, to: "changed")
      guard let file = try? SafetensorsFile(folder.file("changed")) else { continue }
      // What still passes must at least be consistent with the file.
      #expect(file.entries.allSatisfy { $0.range.upperBound <= bytes.count })
    }
  }

  @Test(arguments: [
    ("[]", 0, "its header is not a JSON object"),
    ("{", 0, "its header is not JSON: expected a key in quotes at byte 1"),
    (#"{"a": 3}"#, 0, "tensor 'a' lacks dtype, shape or data_offsets"),
    (
      #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, 4,
      "tensor 'a' is F16; only F32 is supported"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4,
      "tensor 'a' of shape [2] cannot lie at bytes [0, 4]"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,0]}}"#, 0,
      "tensor 'a' of shape [4611686018427387904, 2] cannot lie at bytes [0, 0]"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
      6, "tensor 'b' does not follow the one before it"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      8, "'a' is in it twice"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3,
      "it should hold 4 bytes of data but holds 3"
    ),
    (#"{"__metadata__":{"a":1}}"#, 0, "its metadata 'a' is not a string"),
  ])
  func `a wrong header is explained`(header: String, data: Int, reason: String) throws {
    let folder = try TemporaryFolder()
    let path = try file(folder, header: header, data: data)
    let error = TrainingError.damaged(file: path, reason: reason)
    #expect(throws: error) { try SafetensorsFile(path) }
    #expect(
      error.description == "the checkpoint \(path) is damaged: \(reason); use another checkpoint, "
        + "or remove this one to start anew")
    #expect(error.exitCode == .inputOutput)
  }

  @Test func `a header longer than the file is not allocated`() throws {
    let folder = try TemporaryFolder()
    for last: UInt8 in [0x00, 0x7f, 0xff] {
      try folder.write([255, 255, 255, 255, 255, 0, 0, last, 0x7b], to: "long")
      #expect(throws: TrainingError.self) { try SafetensorsFile(folder.file("long")) }
    }
  }
}
