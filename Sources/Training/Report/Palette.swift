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

  /// The color of a class in pictures, which are dark; `index` counts from 0.
  static func picture(_ index: Int) -> SIMD3<UInt8> {
    let hex = tones[index % tones.count].dark
    return SIMD3(
      UInt8(truncatingIfNeeded: hex >> 16), UInt8(truncatingIfNeeded: hex >> 8),
      UInt8(truncatingIfNeeded: hex))
  }

  /// A color as style sheets write it.
  static func css(_ hex: UInt32) -> String {
    let digits = String(hex, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// The color of a value in 0...1 on the map from dark blue over gray to yellow whose lightness
  /// rises evenly and that color-blind readers see alike (cividis, Nuñez et al. 2018).
  static func attention(_ value: Float) -> SIMD3<UInt8> {
    let place = min(max(value.isNaN ? 0 : value, 0), 1) * Float(cividis.count - 1)
    let lower = min(Int(place), cividis.count - 2)
    let color = cividis[lower] + (cividis[lower + 1] - cividis[lower]) * (place - Float(lower))
    return SIMD3<UInt8>(color.rounded(.toNearestOrAwayFromZero))
  }

  private static let cividis: [SIMD3<Float>] = [
    [0, 34, 78], [18, 53, 112], [59, 73, 109], [87, 93, 109], [112, 113, 115], [138, 134, 120],
    [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
  ]
}
