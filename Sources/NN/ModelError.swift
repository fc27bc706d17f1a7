/// A model outside the domain this program computes: which key, its value, and what would do.
package enum ModelError: Error, Equatable, CustomStringConvertible {
  /// `key` (a path in the configuration) holds `value`, but `rule`; `nearest` are valid values.
  case outsideDomain(key: String, value: String, rule: String, nearest: [String])

  package var description: String {
    switch self {
    case .outsideDomain(let key, let value, let rule, let nearest):
      let advice = nearest.isEmpty ? "" : "; nearest valid: \(nearest.joined(separator: ", "))"
      return "\(key): \(value) \(rule)\(advice)"
    }
  }
}
