/// What the steps of an input take on its ranks and networks, by simulation.
package struct ScalingForecast: Sendable {
  /// What tells one curve from another.
  package struct Case: Equatable, Sendable {
    package let network: String
    package let algorithm: AllreduceAlgorithm
    package let compression: Configuration.Compression
  }

  /// One number of ranks of a curve.
  package struct Point: Sendable {
    package let ranks: Int
    package let outcome: StepSimulation.Outcome
    /// Seconds of all sums alone.
    package let sums: Double
    /// The speed of a rank, of what it is alone and without slow ones: 1 where nothing is lost.
    package let efficiency: Double
  }

  package struct Curve: Sendable {
    package let patchSize: [Int]
    package let kind: Case
    package let points: [Point]
  }

  package let input: ScalingInput
  package let curves: [Curve]

  /// Simulates all of it.
  ///
  /// - Throws: `missing`, `inputOutput` or `badData` for files of measurements.
  package init(_ input: ScalingInput) throws(TrainingError) {
    self.input = input
    var curves: [Curve] = []
    var networks: [(name: String, model: NetworkModel)] = []
    for network in input.networks { networks.append((network.name, try network.model())) }
    for profile in input.patches {
      for network in networks {
        for (algorithm, compression) in input.sums {
          let kind = Case(
            network: network.name, algorithm: algorithm, compression: compression)
          curves.append(Self.curve(of: profile, kind, on: network.model, input))
        }
      }
    }
    self.curves = curves
  }

  private static func curve(
    of measured: StepProfile, _ kind: Case, on network: NetworkModel, _ input: ScalingInput
  ) -> Curve {
    var profile = measured.faster(by: input.computeSpeed)
    if let jitter = input.jitter { profile.jitter = jitter }
    let points = input.ranks.map { ranks in
      let placement = RankPlacement(ranks: ranks, ranksPerNode: input.ranksPerNode)
      let simulation = StepSimulation(
        profile, ranks: ranks, bucketMiB: input.bucketMiB, slow: input.slow,
        seed: UInt64(input.seed), lossPerByte: network.processor / input.cores
      ) {
        kind.algorithm.seconds(
          bytes: $0, over: placement, compression: kind.compression, on: network)
      }
      let outcome = simulation.run(steps: input.steps)
      return Point(
        ranks: ranks, outcome: outcome, sums: simulation.secondsOfSums,
        efficiency: profile.seconds / outcome.step)
    }
    return Curve(patchSize: measured.patchSize, kind: kind, points: points)
  }
}

extension ScalingInput {
  /// Every algorithm with every compression.
  var sums: [(AllreduceAlgorithm, Configuration.Compression)] {
    algorithms.flatMap { algorithm in compressions.map { (algorithm, $0) } }
  }
}

extension ScalingInput.Network {
  /// The costs that the speed tells, or that fit the measurements best.
  func model() throws(TrainingError) -> NetworkModel {
    let model = NetworkModel(speed ?? .gigabit, overhead: overhead)
    guard let measured else { return model }
    let text = try YAMLSource.text(
      of: measured, called: "measurements",
      otherwise: "write them with 'mpirun ... lkdist bench allreduce > FILE'")
    let measurements = text.split(separator: "\n").compactMap { line in
      (try? JSON.parse(String(line))).flatMap(AllreduceMeasurement.init)
    }
    guard !measurements.isEmpty else {
      throw .badData("\(measured): no line of lkdist bench allreduce in it")
    }
    return model.fitted(to: measurements, ranksPerNode: measuredRanksPerNode)
  }
}
