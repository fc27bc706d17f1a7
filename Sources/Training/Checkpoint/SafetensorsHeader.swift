/// The contents of a safetensors header, or the reason why it cannot be right.
struct SafetensorsHeader {
  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [SafetensorsFile.Entry] = []
  private(set) var reason: String?

  /// A header that could not even be read.
  init(reason: String) { self.reason = reason }

  /// Parses and checks the JSON `bytes` of a file with `dataBytes` bytes after it.
  init(_ bytes: [UInt8], dataBytes: Int) {
    do throws(HeaderError) {
      try read(bytes)
      try checkRanges(dataBytes)
    } catch {
      reason = error.reason
    }
  }

  private struct HeaderError: Error { let reason: String }

  private mutating func read(_ bytes: [UInt8]) throws(HeaderError) {
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes) } catch {
      throw HeaderError(reason: "its header is not JSON: \(error)")
    }
    guard case .object(let members) = json else {
      throw HeaderError(reason: "its header is not a JSON object")
    }
    var names: Set<String> = []
    for member in members {
      guard names.insert(member.key).inserted else {
        throw HeaderError(reason: "'\(member.key)' is in it twice")
      }
      if member.key == Safetensors.metadataKey {
        try readMetadata(member.value)
      } else {
        entries.append(try Self.entry(member))
      }
    }
  }

  private mutating func readMetadata(_ json: JSON) throws(HeaderError) {
    guard case .object(let members) = json else {
      throw HeaderError(reason: "its metadata are not a JSON object")
    }
    for member in members {
      guard let value = member.value.string else {
        throw HeaderError(reason: "its metadata '\(member.key)' is not a string")
      }
      metadata[member.key] = value
    }
  }

  private static func entry(_ member: JSON.Member) throws(HeaderError) -> SafetensorsFile.Entry {
    let name = member.key
    guard let type = member.value["dtype"]?.string,
      let shape = member.value["shape"]?.array?.compactMap(\.integer),
      let offsets = member.value["data_offsets"]?.array?.compactMap(\.integer),
      offsets.count == 2, shape.count == member.value["shape"]?.array?.count
    else { throw HeaderError(reason: "tensor '\(name)' lacks dtype, shape or data_offsets") }
    guard type == "F32" else {
      throw HeaderError(reason: "tensor '\(name)' is \(type); only F32 is supported")
    }
    guard let bytes = byteCount(shape), offsets[0] >= 0, offsets[1] >= offsets[0],
      offsets[1] - offsets[0] == bytes
    else {
      throw HeaderError(
        reason: "tensor '\(name)' of shape \(shape) cannot lie at bytes \(offsets)")
    }
    return SafetensorsFile.Entry(name: name, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// The bytes of a tensor of floats; nil for a negative size or more than can be counted.
  private static func byteCount(_ shape: [Int]) -> Int? {
    var bytes = 4
    for size in shape {
      let product = bytes.multipliedReportingOverflow(by: size)
      guard size >= 0, !product.overflow else { return nil }
      bytes = product.partialValue
    }
    return bytes
  }

  /// The tensors must fill the data section one after the other, as the format demands.
  private mutating func checkRanges(_ dataBytes: Int) throws(HeaderError) {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw HeaderError(reason: "tensor '\(entry.name)' does not follow the one before it")
      }
      end = entry.range.upperBound
    }
    guard end == dataBytes else {
      throw HeaderError(reason: "it should hold \(end) bytes of data but holds \(dataBytes)")
    }
  }
}
