import Foundation

/// How fast a network is said to be, such as "25Gbps" or "25Gbps,2us".
package struct NetworkSpeed: Equatable, Sendable {
  package let bitsPerSecond: Double
  /// Seconds that a small message takes; nil if it was not said.
  package let latency: Double?

  /// Gigabit Ethernet.
  static let gigabit = NetworkSpeed(bitsPerSecond: 1e9)

  private init(bitsPerSecond: Double) {
    self.bitsPerSecond = bitsPerSecond
    latency = nil
  }

  /// Our choice where nobody says what the network between nodes carries: 10 Gbit/s Ethernet.
  static let assumed = NetworkSpeed(bitsPerSecond: 10e9)

  /// Reads a rate in Gbps or Mbps and, after a comma, a latency in us or ms; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count),
      let rate = Self.number(parts[0], units: ["Gbps": 1e9, "Mbps": 1e6])
    else { return nil }
    bitsPerSecond = rate
    guard parts.count == 2 else {
      latency = nil
      return
    }
    guard let seconds = Self.number(parts[1], units: ["us": 1e-6, "ms": 1e-3]) else { return nil }
    latency = seconds
  }

  /// GB/s in each direction.
  package var gigabytesPerSecond: Double { bitsPerSecond / 8e9 }

  private static func number(_ text: Substring, units: [String: Double]) -> Double? {
    for (unit, factor) in units where text.lowercased().hasSuffix(unit.lowercased()) {
      guard let number = Double(text.dropLast(unit.count)), number > 0, number.isFinite
      else { return nil }
      return number * factor
    }
    return nil
  }
}
