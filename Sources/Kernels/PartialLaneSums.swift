import Tensors

/// Sums of each channel that several work items gather, added in the order of the parts: the totals do
/// not depend on the threads.
struct PartialLaneSums {
  private let count: Int
  private let parts: Int
  private let channels: Int
  private let values: DoubleScratch

  /// Room for `count` sums of each channel and part, all zero.
  init(count: Int, parts: Int, channels: Int, on compute: Compute) {
    self.count = count
    self.parts = parts
    self.channels = channels
    values = DoubleScratch(count: parts * channels * count, on: compute)
  }

  /// Where a part keeps the sums [count][16] of a block of channels.
  func pointer(part: Int, block: Int) -> UnsafeMutablePointer<Double> {
    values.pointer + (block * parts + part) * count * 16
  }

  /// One of the sums of a channel.
  func total(_ sum: Int, channel: Int) -> Double {
    let lane = sum * 16 + channel % 16
    return (0..<parts).reduce(0) { $0 + pointer(part: $1, block: channel / 16)[lane] }
  }

  /// One of the sums of every channel.
  func totals(_ sum: Int) -> [Double] { (0..<channels).map { total(sum, channel: $0) } }
}
