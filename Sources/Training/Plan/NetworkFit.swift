/// A sum of gradients that `lkdist bench allreduce` timed.
package struct AllreduceMeasurement: Equatable, Sendable {
  package let bytes: Int
  package let bucketBytes: Int
  package let ranks: Int
  package let compression: Configuration.Compression
  package let seconds: Double
  /// Seconds of a rank's processor.
  package let processorSeconds: Double

  package init(
    bytes: Int, bucketBytes: Int, ranks: Int, compression: Configuration.Compression,
    seconds: Double, processorSeconds: Double = 0
  ) {
    (self.bytes, self.bucketBytes, self.ranks) = (bytes, bucketBytes, ranks)
    (self.compression, self.seconds) = (compression, seconds)
    self.processorSeconds = processorSeconds
  }

  /// The measurement of a line of the benchmark; nil for another line.
  package init?(_ line: JSON) {
    guard let bytes = line["bytes"]?.integer, let bucket = line["bucket_bytes"]?.integer,
      let ranks = line["ranks"]?.integer, let seconds = line["seconds"]?.number,
      let compression = (line["compression"]?.string).flatMap(Configuration.Compression.init),
      bytes > 0, bucket > 0, ranks > 0, seconds > 0
    else { return nil }
    self.init(
      bytes: bytes, bucketBytes: bucket, ranks: ranks, compression: compression, seconds: seconds,
      processorSeconds: line["processor_s"]?.number ?? 0)
  }

  /// What its buckets take, one after the other.
  func work(ranksPerNode: Int) -> AllreduceWork {
    let placement = RankPlacement(ranks: ranks, ranksPerNode: ranksPerNode)
    return stride(from: 0, to: bytes, by: bucketBytes).reduce(AllreduceWork()) { work, start in
      let bucket = min(bucketBytes, bytes - start)
      return work
        + AllreduceAlgorithm.shards.work(bytes: bucket, over: placement, compression: compression)
    }
  }
}

extension NetworkModel {
  /// The model whose latency and gap of one link, and cost of bf16, explain `measurements` best; all else is
  /// as it was, and so is what they tell nothing about.
  ///
  /// The link is that between hosts where there are several; its latency then holds the naps. Linear least
  /// squares of work x costs = seconds, whose errors count by the root of the seconds: relative errors would
  /// let a network's speed be hidden by the small sums that it lets through at once.
  package func fitted(
    to measurements: [AllreduceMeasurement], ranksPerNode: Int
  ) -> NetworkModel {
    let plain = measurements.filter { $0.compression == .none }
    let halved = measurements.filter { $0.compression == .bf16 }
    var model = fittedLink(to: plain, ranksPerNode).fittedConversion(to: halved, ranksPerNode)
    let bytes = measurements.reduce(0) { $0 + $1.bytes }
    let processor = measurements.reduce(0) { $0 + $1.processorSeconds }
    model.processor = bytes > 0 ? processor / Double(bytes) : 0
    return model
  }

  private func fittedLink(
    to measurements: [AllreduceMeasurement], _ ranksPerNode: Int
  ) -> NetworkModel {
    let isBetween = measurements.contains { $0.ranks > ranksPerNode }
    let link = isBetween ? \NetworkModel.between : \.inside
    let traffic = isBetween ? \AllreduceWork.between : \.inside
    var model = self
    (model.nap, model[keyPath: link].latency, model[keyPath: link].gap) = (0, 0, 0)
    let equations = model.equations(measurements, ranksPerNode) {
      ($0[keyPath: traffic].rounds, $0[keyPath: traffic].bytes)
    }
    guard let costs = leastSquares(equations) else { return self }
    (model[keyPath: link].latency, model[keyPath: link].gap) = costs
    return model
  }

  private func fittedConversion(
    to measurements: [AllreduceMeasurement], _ ranksPerNode: Int
  ) -> NetworkModel {
    var model = self
    model.conversion = 0
    let equations = model.equations(measurements, ranksPerNode) { ($0.convertedBytes, 0) }
    guard let (conversion, _) = leastSquares(equations) else { return self }
    model.conversion = conversion
    return model
  }

  /// One equation a measurement: counts of two costs, and the seconds that they have to explain, which
  /// are those that this model leaves.
  private func equations(
    _ measurements: [AllreduceMeasurement], _ ranksPerNode: Int,
    counts: (AllreduceWork) -> (Double, Double)
  ) -> [Equation] {
    measurements.map { measurement in
      let work = measurement.work(ranksPerNode: ranksPerNode)
      let (a, b) = counts(work)
      let weight = 1 / measurement.seconds.squareRoot()
      return Equation(
        a: a * weight, b: b * weight,
        c: (measurement.seconds - work.seconds(on: self)) * weight)
    }
  }
}

/// a x + b y = c, of the unknown costs x and y.
private struct Equation {
  let a: Double
  let b: Double
  let c: Double
}

/// The two costs, neither below 0, that fulfil the equations best; nil if these tell nothing.
private func leastSquares(_ equations: [Equation]) -> (Double, Double)? {
  func sum(_ term: (Equation) -> Double) -> Double { equations.reduce(0) { $0 + term($1) } }
  let (aa, ab, bb) = (sum { $0.a * $0.a }, sum { $0.a * $0.b }, sum { $0.b * $0.b })
  let (ac, bc) = (sum { $0.a * $0.c }, sum { $0.b * $0.c })
  let onlyX = aa > 0 ? (max(0, ac / aa), 0.0) : nil
  let onlyY = bb > 0 ? (0.0, max(0, bc / bb)) : nil
  let determinant = aa * bb - ab * ab
  guard determinant > 1e-9 * aa * bb else { return onlyY ?? onlyX }
  let (x, y) = ((ac * bb - bc * ab) / determinant, (bc * aa - ac * ab) / determinant)
  if x < 0 { return onlyY }
  return y < 0 ? onlyX : (x, y)
}
