import CPNG
import Files

/// A picture of red, green and blue bytes.
package struct Picture: Sendable {
  package let width: Int
  package let height: Int
  /// Rows from the top, three bytes a pixel.
  package private(set) var bytes: [UInt8]

  /// A picture of one gray.
  package init(width: Int, height: Int, gray: UInt8) {
    self.width = width
    self.height = height
    bytes = [UInt8](repeating: gray, count: 3 * width * height)
  }

  /// The color of a pixel as red, green, blue; x goes right and y down.
  package subscript(x: Int, y: Int) -> SIMD3<UInt8> {
    get {
      let at = 3 * (y * width + x)
      return SIMD3(bytes[at], bytes[at + 1], bytes[at + 2])
    }
    set {
      let at = 3 * (y * width + x)
      for index in 0..<3 { bytes[at + index] = newValue[index] }
    }
  }

  /// Writes the picture as PNG.
  ///
  /// - Throws: `inputOutput` that names the file.
  package func writePNG(to path: String) throws(TrainingError) {
    let encoded = try png()
    try AtomicFile.write(path, kind: "picture") { file throws(FileError) in
      try file.write(encoded)
    }
  }

  /// The picture as a PNG file's bytes, by libpng's simplified interface, which needs no `setjmp`.
  ///
  /// - Throws: `inputOutput` for one that libpng cannot hold.
  package func png() throws(TrainingError) -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    // Asked without memory, libpng says how much it takes.
    var size = 0
    guard png_image_write_to_memory(&image, nil, &size, 0, bytes, 0, nil) != 0 else {
      throw refusal(image)
    }
    var encoded = [UInt8](repeating: 0, count: size)
    guard png_image_write_to_memory(&image, &encoded, &size, 0, bytes, 0, nil) != 0 else {
      throw refusal(image)
    }
    return Array(encoded.prefix(size))
  }

  private func refusal(_ image: png_image) -> TrainingError {
    let reason = withUnsafeBytes(of: image.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return .inputOutput("a picture of \(width) x \(height) pixels cannot be made: \(reason)")
  }
}
