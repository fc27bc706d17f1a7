/// HTML and SVG as text that is well-formed XML too.
package enum Markup {
  /// `text` with what markup cannot hold as it is written otherwise or left out.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || (0xfffe...0xffff).contains(scalar.value): continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// An element; attribute values are escaped, `content` is markup already.
  static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: String? = nil
  ) -> String {
    let list = attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
    guard let content else { return "<\(name)\(list) />" }
    return "<\(name)\(list)>\(content)</\(name)>"
  }

  /// An element of a class that holds `text`.
  static func text(_ name: String, class kind: String? = nil, _ text: String) -> String {
    guard let kind else { return element(name, [:], escaped(text)) }
    return element(name, ["class": kind], escaped(text))
  }

  /// A length of a drawing, to a hundredth of a pixel.
  static func length(_ value: Double) -> String {
    let text = Progress.rounded(value, 2)
    return text.hasSuffix(".00") ? String(text.dropLast(3)) : text
  }
}
