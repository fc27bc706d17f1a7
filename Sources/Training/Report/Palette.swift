import Imaging

/// The colors of curves, classes and attention, apart for color-blind readers and 4.5 : 1 against
/// the page (after Okabe and Ito 2008).
package enum Palette {
  /// One hue as it is on a light and on a dark page.
  struct Tone {
    let light: UInt32
    let dark: UInt32
  }

  static let tones = [
    Tone(light: 0x0067A5, dark: 0x62B5F0), Tone(light: 0xC04A00, dark: 0xFF9152),
    Tone(light: 0x007A5A, dark: 0x45CFA4), Tone(light: 0xA8457F, dark: 0xE890C6),
    Tone(light: 0x8F5B00, dark: 0xE8B44C), Tone(light: 0x5B5FC7, dark: 0xA9A6F5),
    Tone(light: 0x6B6B00, dark: 0xCFCF5E), Tone(light: 0x5A6872, dark: 0xAEB9C2),
  ]

  /// The tone of each label: that of its class, or of the smallest region that holds it.
  static func tones(of classes: [ScoredClass]) -> [Int16: Int] {
    var tones: [Int16: Int] = [:]
    let sizes = classes.enumerated().sorted { $0.element.values.count > $1.element.values.count }
    for (index, kind) in sizes { for value in kind.values { tones[value] = index } }
    return tones
  }

  /// A tone in pictures, which are dark; `index` counts from 0, and nothing is the last tone.
  static func picture(_ index: Int?) -> SIMD3<UInt8> {
    let hex = tones[(index ?? tones.count - 1) % tones.count].dark
    return SIMD3(
      UInt8(truncatingIfNeeded: hex >> 16), UInt8(truncatingIfNeeded: hex >> 8),
      UInt8(truncatingIfNeeded: hex))
  }

  /// A color as style sheets write it.
  static func css(_ hex: UInt32) -> String {
    let digits = String(hex, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// The color of a value in 0...1 on the map from purple over green to yellow whose lightness rises
  /// evenly, for color-blind readers too (viridis, van der Walt and Smith 2015).
  static func viridis(_ value: Float) -> SIMD3<UInt8> {
    let place = min(max(value.isNaN ? 0 : value, 0), 1) * Float(anchors.count - 1)
    let lower = min(Int(place), anchors.count - 2)
    let color = anchors[lower] + (anchors[lower + 1] - anchors[lower]) * (place - Float(lower))
    return SIMD3<UInt8>(color.rounded(.toNearestOrAwayFromZero))
  }

  private static let anchors: [SIMD3<Float>] = [
    [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137],
    [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
  ]
}
