import Protobuf

/// One record of an event file: the length and its check, the event and its check.
package enum EventRecord {
  /// The record's bytes.
  static func bytes(of event: Tensorboard_Event) -> [UInt8] {
    // Messages of this kind, without required fields, can always be written.
    guard let data: [UInt8] = try? event.serializedBytes() else { return [] }
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(CRC32C.masked(length)) + data
      + littleEndian(CRC32C.masked(data))
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}

extension Tensorboard_Summary.Value {
  /// A number under a tag.
  static func scalar(_ tag: String, _ value: Double) -> Self {
    make(tag) { $0.simpleValue = Float(value) }
  }

  /// A picture under a tag, as a PNG file.
  static func image(_ tag: String, width: Int, height: Int, png: [UInt8]) -> Self {
    make(tag) {
      $0.image.width = Int32(width)
      $0.image.height = Int32(height)
      $0.image.colorspace = 3
      $0.image.encodedImageString = .init(png)
    }
  }

  /// A text in Markdown under a tag, as the plugin `text` wants it.
  static func text(_ tag: String, _ markdown: String) -> Self {
    make(tag) {
      $0.metadata.pluginData.pluginName = "text"
      $0.tensor.dtype = .dtString
      var size = Tensorboard_TensorShapeProto.Dim()
      size.size = 1
      $0.tensor.tensorShape.dim = [size]
      $0.tensor.stringVal = [.init(markdown.utf8)]
    }
  }

  private static func make(_ tag: String, _ fill: (inout Self) -> Void) -> Self {
    var value = Self()
    value.tag = tag
    fill(&value)
    return value
  }
}
