/// Ways to sum a bucket of gradients over all ranks, and what each puts on the critical path.
package enum AllreduceAlgorithm: String, Codable, CaseIterable, Sendable {
  /// lkdist's own (`PlainSum`, `CompressedSum`): each rank sends every other one its shard, adds what it
  /// got, and sends every other one the sum.
  case shards
  /// The one of those below that MPI_Allreduce of Open MPI 4.1 takes for the size and number of ranks.
  case openMPI = "openmpi"
  /// Shards go around a ring twice, once to be summed and once to be told.
  case ring
  /// Recursive doubling: whole buckets between ranks 1, 2, 4, ... apart.
  case tree
  /// Reduce-scatter by recursive halving, then allgather by recursive doubling (Rabenseifner 2004).
  case rabenseifner
  /// A binomial tree to one rank, and the same tree back.
  case reduceBroadcast = "reduce-broadcast"
  /// A ring within each host for one half of the sum, Rabenseifner between hosts for each shard of it, and
  /// the ring again for the other half.
  case hierarchical

  /// The seconds in which a bucket of `bytes` of floats is summed.
  package func seconds(
    bytes: Int, over placement: RankPlacement, compression: Configuration.Compression = .none,
    on network: NetworkModel
  ) -> Double {
    work(bytes: bytes, over: placement, compression: compression).seconds(on: network)
  }

  /// What summing a bucket of `bytes` of floats takes; nothing for one rank.
  ///
  /// With bf16 half the bytes travel; each float is rounded once and widened once.
  package func work(
    bytes: Int, over placement: RankPlacement, compression: Configuration.Compression = .none
  ) -> AllreduceWork {
    guard placement.ranks > 1 else { return AllreduceWork() }
    let isHalved = compression == .bf16
    var path = CriticalPath(placement, bytesOnWire: isHalved ? 0.5 : 1)
    add(Double(bytes), to: &path)
    if isHalved { path.work.convertedBytes += 2 * Double(bytes) }
    return path.work
  }

  private func add(_ bytes: Double, to path: inout CriticalPath) {
    switch self {
    case .shards: path.exchangeShards(bytes)
    case .ring: path.goAround(bytes)
    case .tree: path.double(bytes)
    case .rabenseifner: path.halveAndDouble(bytes)
    case .reduceBroadcast: path.climbAndDescend(bytes)
    case .hierarchical: path.reduceWithinHosts(bytes)
    case .openMPI:
      Self.ofOpenMPI(bytes: Int(bytes), ranks: path.placement.ranks).add(bytes, to: &path)
    }
  }
}

/// The messages and sums of an allreduce, one after the other.
private struct CriticalPath {
  let placement: RankPlacement
  var work = AllreduceWork()
  /// Bytes sent for each byte of floats.
  private let bytesOnWire: Double
  /// How many times this path runs side by side on each host.
  private let copies: Double

  init(_ placement: RankPlacement, bytesOnWire: Double, copies: Double = 1) {
    (self.placement, self.bytesOnWire, self.copies) = (placement, bytesOnWire, copies)
  }

  private var ranks: Double { Double(placement.ranks) }
  private var ranksPerNode: Double { Double(placement.ranksPerNode) }
  /// The largest power of two that is not above the number of ranks.
  private var powerOfTwo: Int { 1 << (Int.bitWidth - 1 - placement.ranks.leadingZeroBitCount) }

  // MARK: - Algorithms

  /// Twice: a message to each other rank. Ranks of a host share its network card.
  mutating func exchangeShards(_ bytes: Double) {
    let shard = bytes / ranks
    for _ in 0..<2 {
      burst(\.inside, messages: ranksPerNode - 1, of: shard, sharing: 1)
      burst(\.between, messages: ranks - ranksPerNode, of: shard, sharing: ranksPerNode)
      work.naps += 1
    }
    work.addedBytes += (ranks - 1) * shard
  }

  mutating func goAround(_ bytes: Double) {
    let link = placement.nodes > 1 ? \AllreduceWork.between : \.inside
    let (rounds, shard) = (ranks - 1, bytes / ranks)
    round(link, shard, sharing: copies, times: 2 * rounds)
    work.addedBytes += rounds * shard
  }

  mutating func double(_ bytes: Double) {
    foldToPowerOfTwo(bytes)
    for distance in distances { exchange(bytes, distance: distance, adding: true) }
  }

  mutating func halveAndDouble(_ bytes: Double) {
    if powerOfTwo < placement.ranks {
      exchange(bytes / 2, distance: 1, adding: true)
      exchange(bytes / 2, distance: 1, adding: false)
      exchange(bytes, distance: 1, adding: false)
    }
    for distance in distances {
      let part = bytes / Double(2 * distance)
      exchange(part, distance: distance, adding: true)
      exchange(part, distance: distance, adding: false)
    }
  }

  mutating func climbAndDescend(_ bytes: Double) {
    for distance in distances + (powerOfTwo < placement.ranks ? [powerOfTwo] : []) {
      exchange(bytes, distance: distance, adding: true)
      exchange(bytes, distance: distance, adding: false)
    }
  }

  mutating func reduceWithinHosts(_ bytes: Double) {
    let shard = bytes / ranksPerNode
    round(\.inside, shard, sharing: 1, times: 2 * (ranksPerNode - 1))
    work.addedBytes += (ranksPerNode - 1) * shard
    guard placement.nodes > 1 else { return }
    var hosts = CriticalPath(
      RankPlacement(ranks: placement.nodes, ranksPerNode: 1), bytesOnWire: bytesOnWire,
      copies: ranksPerNode)
    hosts.halveAndDouble(shard)
    work = work + hosts.work
  }

  // MARK: - Steps of them

  private var distances: [Int] { (0..<powerOfTwo.trailingZeroBitCount).map { 1 << $0 } }

  /// Ranks beyond a power of two give what they have to a neighbor, and get the sum in the end.
  private mutating func foldToPowerOfTwo(_ bytes: Double) {
    guard powerOfTwo < placement.ranks else { return }
    exchange(bytes, distance: 1, adding: true)
    exchange(bytes, distance: 1, adding: false)
  }

  /// Each rank swaps `bytes` with one that is `distance` away.
  private mutating func exchange(_ bytes: Double, distance: Int, adding: Bool) {
    if placement.isInside(distance: distance) {
      round(\.inside, bytes, sharing: 1)
    } else {
      round(\.between, bytes, sharing: copies * min(ranksPerNode, Double(distance)))
    }
    if adding { work.addedBytes += bytes }
  }

  /// One message after another.
  private mutating func round(
    _ link: WritableKeyPath<AllreduceWork, AllreduceWork.Traffic>, _ bytes: Double,
    sharing: Double, times: Double = 1
  ) {
    work[keyPath: link].rounds += times
    work[keyPath: link].bytes += times * bytes * sharing * bytesOnWire
  }

  /// Messages that are all under way at once.
  private mutating func burst(
    _ link: WritableKeyPath<AllreduceWork, AllreduceWork.Traffic>, messages: Double,
    of bytes: Double, sharing: Double
  ) {
    guard messages > 0 else { return }
    round(link, messages * bytes, sharing: sharing)
    work[keyPath: link].furtherMessages += messages - 1
  }
}
