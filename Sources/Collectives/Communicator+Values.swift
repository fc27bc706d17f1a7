import CMPI

// Numbers and bytes: losses, metrics, configurations, messages.
extension Communicator {
  /// Adds the numbers of all ranks, in place; every rank must bring as many.
  package func allreduceSum(_ values: inout [Double]) throws(CommunicationError) {
    try reduce(&values, type: CMPI_DOUBLE, CMPI_SUM)
  }

  /// Adds the integers of all ranks, in place; every rank must bring as many.
  package func allreduceSum(_ values: inout [Int]) throws(CommunicationError) {
    try reduce(&values, type: CMPI_INT64, CMPI_SUM)
  }

  /// The sum of one number of each rank.
  package func allreduceSum(_ value: Double) throws(CommunicationError) -> Double {
    try reduced(value, type: CMPI_DOUBLE, CMPI_SUM)
  }

  /// The sum of one integer of each rank.
  package func allreduceSum(_ value: Int) throws(CommunicationError) -> Int {
    try reduced(value, type: CMPI_INT64, CMPI_SUM)
  }

  /// The largest of one number of each rank; with NaN anywhere the result is not defined.
  package func allreduceMax(_ value: Double) throws(CommunicationError) -> Double {
    try reduced(value, type: CMPI_DOUBLE, CMPI_MAX)
  }

  /// The largest of one integer of each rank.
  package func allreduceMax(_ value: Int) throws(CommunicationError) -> Int {
    try reduced(value, type: CMPI_INT64, CMPI_MAX)
  }

  /// The smallest of one number of each rank; with NaN anywhere the result is not defined.
  package func allreduceMin(_ value: Double) throws(CommunicationError) -> Double {
    try reduced(value, type: CMPI_DOUBLE, CMPI_MIN)
  }

  /// The smallest of one integer of each rank.
  package func allreduceMin(_ value: Int) throws(CommunicationError) -> Int {
    try reduced(value, type: CMPI_INT64, CMPI_MIN)
  }

  private func reduced<Value>(
    _ value: Value, type: cmpi_type, _ operation: cmpi_operation
  ) throws(CommunicationError) -> Value {
    var value = value
    try allreduce(&value, count: 1, type: type, operation)
    return value
  }

  private func reduce<Value>(
    _ values: inout [Value], type: cmpi_type, _ operation: cmpi_operation
  ) throws(CommunicationError) {
    let count = values.count
    try allreduce(&values, count: count, type: type, operation)
  }

  // MARK: - Bytes and text

  /// The root's bytes, on every rank; what the other ranks bring is not looked at.
  package func broadcast(_ bytes: [UInt8], root: Int = 0) throws(CommunicationError) -> [UInt8] {
    guard size > 1 else { return bytes }
    var count = bytes.count
    try broadcast(&count, count: 1, type: CMPI_INT64, root: root)
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: count)
    try broadcast(&result, count: count, type: CMPI_BYTE, root: root)
    return result
  }

  /// The root's text, on every rank.
  package func broadcast(_ text: String, root: Int = 0) throws(CommunicationError) -> String {
    String(decoding: try broadcast(Array(text.utf8), root: root), as: UTF8.self)
  }

  /// The bytes of every rank in rank order, on the root; nil on the others (MPI_Gatherv, MPI 3.1,
  /// 5.5). Ranks may bring different amounts.
  package func gather(_ bytes: [UInt8], root: Int = 0) throws(CommunicationError) -> [[UInt8]]? {
    guard size > 1 else { return [bytes] }
    var sizes = [Int](repeating: 0, count: size)
    sizes[rank] = bytes.count
    try allreduceSum(&sizes)
    let rounds = GatherRounds(sizes: sizes, bytesPerRound: chunk)
    var gathered = rank == root ? sizes.map { _ in [UInt8]() } : nil
    for round in 0..<rounds.count {
      try gatherRound(bytes[rounds.range(of: rank, in: round)], round, of: rounds, root, &gathered)
    }
    return gathered
  }

  /// The text of every rank in rank order, on the root; nil on the others.
  package func gather(_ text: String, root: Int = 0) throws(CommunicationError) -> [String]? {
    try gather(Array(text.utf8), root: root)?.map { String(decoding: $0, as: UTF8.self) }
  }

  private func gatherRound(
    _ part: ArraySlice<UInt8>, _ round: Int, of rounds: GatherRounds, _ root: Int,
    _ gathered: inout [[UInt8]]?
  ) throws(CommunicationError) {
    let ranges = (0..<size).map { rounds.range(of: $0, in: round) }
    let counts = ranges.map { Int32($0.count) }
    var offsets = counts
    for index in counts.indices { offsets[index] = counts[..<index].reduce(0, +) }
    let total = ranges.reduce(0) { $0 + $1.count }
    var received = [UInt8](repeating: 0, count: rank == root ? total : 0)
    try check(
      cmpi_gather(
        handle, Array(part), Int32(part.count), &received, counts, offsets, Int32(clamping: root)),
      "gathering \(total) bytes on rank \(root)", rank: rank)
    guard gathered != nil else { return }
    for index in 0..<size {
      let start = Int(offsets[index])
      gathered?[index] += received[start..<start + Int(counts[index])]
    }
  }
}

/// A gather cut into rounds, so that the root never receives more than 32-bit counts can tell.
package struct GatherRounds {
  let sizes: [Int]
  private let share: Int

  /// Rounds for ranks that bring `sizes` bytes, `bytesPerRound` of all of them at a time.
  package init(sizes: [Int], bytesPerRound: Int) {
    self.sizes = sizes
    share = max(1, bytesPerRound / max(1, sizes.count))
  }

  /// The number of rounds that the largest rank needs.
  package var count: Int { ((sizes.max() ?? 0) + share - 1) / share }

  /// The bytes that `rank` sends in `round`; empty once it has sent all.
  package func range(of rank: Int, in round: Int) -> Range<Int> {
    let size = sizes[rank]
    return min(size, round * share)..<min(size, (round + 1) * share)
  }
}
