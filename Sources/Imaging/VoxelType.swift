/// The numeric voxel types of NIfTI-1, by their code in the header.
enum VoxelType: Int16, CaseIterable {
  case uint8 = 2
  case int16 = 4
  case int32 = 8
  case float32 = 16
  case float64 = 64
  case int8 = 256
  case uint16 = 512
  case uint32 = 768
  case int64 = 1024
  case uint64 = 1280

  /// The bytes of one voxel.
  var bytes: Int {
    switch self {
    case .uint8, .int8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// Turns stored voxels into numbers; `isSwapped` says that their bytes are in the other order.
  func decode(
    _ raw: UnsafeRawBufferPointer, isSwapped: Bool, into values: UnsafeMutableBufferPointer<Double>
  ) {
    switch self {
    case .uint8: decode(UInt8.self, raw, isSwapped, values)
    case .int8: decode(Int8.self, raw, isSwapped, values)
    case .int16: decode(Int16.self, raw, isSwapped, values)
    case .uint16: decode(UInt16.self, raw, isSwapped, values)
    case .int32: decode(Int32.self, raw, isSwapped, values)
    case .uint32: decode(UInt32.self, raw, isSwapped, values)
    case .int64: decode(Int64.self, raw, isSwapped, values)
    case .uint64: decode(UInt64.self, raw, isSwapped, values)
    case .float32:
      decode(UInt32.self, raw, isSwapped, values) { Double(Float(bitPattern: $0)) }
    case .float64: decode(UInt64.self, raw, isSwapped, values) { Double(bitPattern: $0) }
    }
  }

  private func decode<Stored: FixedWidthInteger>(
    _: Stored.Type, _ raw: UnsafeRawBufferPointer, _ isSwapped: Bool,
    _ values: UnsafeMutableBufferPointer<Double>,
    _ number: (Stored) -> Double = { Double($0) }
  ) {
    for index in values.indices {
      let offset = index * MemoryLayout<Stored>.stride
      let stored = raw.loadUnaligned(fromByteOffset: offset, as: Stored.self)
      values[index] = number(isSwapped ? stored.byteSwapped : stored)
    }
  }
}
