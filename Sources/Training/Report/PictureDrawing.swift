/// Drawing into pictures of slices.
extension Picture {
  /// A slice in gray.
  init<Values: RandomAccessCollection>(_ slice: Slice, of values: Values, window: GrayWindow)
  where Values.Element == Float, Values.Index == Int {
    self.init(slice, colors: slice.pixels(of: values).map(window.gray))
  }

  /// A slice with the color of every pixel.
  init(_ slice: Slice, colors: [SIMD3<UInt8>]) {
    self.init(width: slice.width, height: slice.height, gray: 0)
    for y in 0..<height { for x in 0..<width { self[x, y] = colors[y * width + x] } }
  }

  /// Outlines the labels of all pixels but background, within the labels' own pixels.
  ///
  /// - Parameters:
  ///   - thickness: of the line in pixels.
  ///   - dash: pixels of a dot and of a gap; nil for a line without gaps.
  package mutating func outline(
    _ labels: [Int16], thickness: Int, dash: Int? = nil, color: (Int16) -> SIMD3<UInt8>
  ) {
    for y in 0..<height {
      for x in 0..<width {
        let label = labels[y * width + x]
        guard label > 0, dash.map({ (x + y) / $0 % 2 == 0 }) ?? true else { continue }
        if isBorder(x, y, of: labels, thickness) { self[x, y] = color(label) }
      }
    }
  }

  private func isBorder(_ x: Int, _ y: Int, of labels: [Int16], _ reach: Int) -> Bool {
    let label = labels[y * width + x]
    func differs(_ x: Int, _ y: Int) -> Bool {
      x >= 0 && x < width && y >= 0 && y < height && labels[y * width + x] != label
    }
    return differs(x - reach, y) || differs(x + reach, y) || differs(x, y - reach)
      || differs(x, y + reach)
  }

  /// Lays a color over every pixel, as much as its share in 0...1 says.
  mutating func lay(_ color: (_ pixel: Int) -> (SIMD3<UInt8>, share: Float)) {
    for y in 0..<height {
      for x in 0..<width {
        let (over, share) = color(y * width + x)
        let mixed = SIMD3<Float>(self[x, y]) * (1 - share) + SIMD3<Float>(over) * share
        self[x, y] = SIMD3<UInt8>(mixed)
      }
    }
  }

  /// Copies a whole picture into this one, its top left corner at (x, y).
  mutating func draw(_ other: Picture, x: Int, y: Int) {
    for row in 0..<other.height {
      for column in 0..<other.width {
        self[x + column, y + row] = other[column, row]
      }
    }
  }

  /// Pictures side by side on black, each in the middle of its height.
  static func row(_ pictures: [Picture], gap: Int) -> Picture {
    let width = pictures.map(\.width).reduce(gap * (pictures.count - 1), +)
    let height = pictures.map(\.height).max() ?? 0
    var row = Picture(width: max(1, width), height: max(1, height), gray: 0)
    var x = 0
    for picture in pictures {
      row.draw(picture, x: x, y: (height - picture.height) / 2)
      x += picture.width + gap
    }
    return row
  }
}
