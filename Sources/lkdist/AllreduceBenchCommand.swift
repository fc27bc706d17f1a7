import ArgumentParser
import Collectives
import Training

/// How gradients are sent in a benchmark.
struct BucketOptions: ParsableArguments {
  @Option(name: .customLong("bucket-mib"), help: "Gradients are sent in pieces of so many MiB.")
  var bucketMiB = 4.0

  func validate() throws {
    guard bucketMiB > 0 else { throw ValidationError("--bucket-mib must be above 0") }
  }
}
