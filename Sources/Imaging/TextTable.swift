import Foundation

/// Rows of text for the terminal: the first column is aligned left, the others right.
package struct TextTable {
  private var rows: [[String]] = []

  package init() {}

  /// Adds a row; a row of one cell is a heading.
  package mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The rows, without blanks at their ends.
  package var lines: [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      // A heading may be wider than the first column.
      rows.filter { $0.count > max(1, column) }.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let (text, width) = cell
        let blanks = String(
          repeating: " ", count: max(0, max(width, column > 0 ? 8 : 0) - text.count))
        return column == 0 ? text + (row.count > 1 ? blanks : "") : "  " + blanks + text
      }
      return cells.joined()
    }
  }

  /// A number with so many digits behind the point; "-" where it is undefined.
  package static func number(_ value: Double?, digits: Int, isSigned: Bool = false) -> String {
    guard let value, value.isFinite else { return "-" }
    return String(format: isSigned ? "%+.\(digits)f" : "%.\(digits)f", value)
  }

  /// Text as lines of at most `width` characters.
  static func wrapped(_ text: String, to width: Int = 96) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + word.count < width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

/// Lines of fields between commas (RFC 4180).
enum CSV {
  static func line(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") }

  /// A number with all its digits; empty where it is undefined.
  static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
    return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
