import ArgumentParser

/// An amount of memory on the command line: a number with KiB, MiB, GiB or TiB, or bytes.
struct MemorySize: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)]
    let unit = units.first { argument.hasSuffix($0.0) }
    let number = unit.map { String(argument.dropLast($0.0.count)) } ?? argument
    guard let value = Double(number), value > 0 else { return nil }
    let bytes = value * Double(1 << (unit?.1 ?? 0))
    guard bytes >= 1, bytes < 0x1p60 else { return nil }
    self.bytes = Int(bytes)
  }
}
