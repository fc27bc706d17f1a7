import ArgumentParser
import Collectives
import Training

extension Configuration.Compression: ExpressibleByArgument {}

/// `lkdist bench allreduce`.
struct AllreduceBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Time the sum of gradients over the ranks, one JSON line a size and compression.",
    discussion: """
      Seconds are the median of the slowest rank's; GB/s are bus bandwidth, 2 (n - 1) / n bytes a
      second of n ranks, of the uncompressed bytes. Sizes are bytes, or MiB with an m.

      Example:
        mpirun -n 2 lkdist bench allreduce --sizes 1m,16m,120m --bucket-mib 4
      """)

  @Option(help: "Bytes to sum, such as 65536,1m,100m.")
  var sizes = "1m,16m,64m"

  @Option(name: .customLong("bucket-mib"), help: "Gradients are sent in pieces of so many MiB.")
  var bucketMiB = 4.0

  @Option(help: "Timed sums of each size.")
  var rounds = 10

  func validate() throws {
    _ = try bytes
    try checkBucket(bucketMiB)
    guard rounds > 0 else { throw ValidationError("--rounds must be at least 1") }
  }

  func run() throws {
    let session = try MPISession()
    let world = session.world
    let benchmark = AllreduceBenchmark(over: world, bucketMiB: bucketMiB, rounds: rounds)
    for bytes in try bytes {
      for compression in Configuration.Compression.allCases {
        let line = try benchmark.line(bytes: bytes, compression: compression)
        if world.rank == 0 { print(line.text) }
      }
    }
    try session.finalize()
  }

  private var bytes: [Int] {
    get throws {
      try sizes.split(separator: ",", omittingEmptySubsequences: false).map { text in
        let isMiB = text.hasSuffix("m")
        guard let number = Int(isMiB ? text.dropLast() : text), number > 0, number < 1 << 40
        else { throw ValidationError("--sizes takes bytes or MiB, such as 65536,1m,100m") }
        return isMiB ? number << 20 : number
      }
    }
  }
}

/// Refuses what is no size of a bucket.
func checkBucket(_ bucketMiB: Double) throws {
  guard bucketMiB > 0, bucketMiB <= 1024 else {
    throw ValidationError("--bucket-mib must be above 0 and at most 1024")
  }
}
