import Kernels
import NN
import Tensors

/// The seconds of a rank's step and of one inference, from what their calls cost.
struct StepForecast: Sendable {
  let profile: StepProfile
  let inference: Double

  /// - Parameter accumulate: patches of a step, one after the other; the last one's gradients are sent.
  init(
    _ rehearsal: StepRehearsal, prices: CallPrices, extent: Extent, parameters: Int,
    accumulate: Int
  ) {
    let forward = prices.total(of: rehearsal.forwardCalls.filter { $0.phase != .update })
    let updates = prices.total(of: rehearsal.calls.filter { $0.phase == .update })
    let backward = prices.total(of: rehearsal.calls) - updates - forward
    let others = Double(accumulate - 1) * (forward + backward)
    profile = StepProfile(
      patchSize: extent.xyz, forward: others + forward, backward: backward, update: updates,
      final: rehearsal.releases.map { release in
        let calls = release.calls.filter { $0.phase != .update }
        return StepProfile.Moment(
          seconds: prices.total(of: calls) - forward, gradients: parameters - release.offset)
      })
    inference = prices.total(of: rehearsal.inferenceCalls)
  }
}

/// How long a whole run takes on its ranks.
struct RunForecast: Sendable {
  /// Seconds of a step alone, and of it what is waited for communication.
  let step: Double
  let exposed: Double
  /// Seconds in which all gradients are summed with nothing else to do.
  let allreduce: Double
  /// Seconds of one validation.
  let validation: Double
  /// Seconds of the run, and the part of validations in it.
  let total: Double
  let nodes: Int

  init(
    _ run: PlannedRun, _ forecast: StepForecast, on placement: RankPlacement, threads: Int,
    network: NetworkModel
  ) {
    let settings = run.configuration
    let simulation = StepSimulation(
      forecast.profile, ranks: placement.ranks, bucketMiB: settings.distributed.bucketMiB,
      seed: 1, lossPerByte: network.processor / Double(threads)
    ) {
      AllreduceAlgorithm.shards.seconds(
        bytes: $0, over: placement, compression: settings.distributed.compression, on: network)
    }
    let outcome = simulation.run(steps: 1)
    (step, exposed, allreduce) = (outcome.step, outcome.exposed, simulation.secondsOfSums)
    let segmenters = settings.distributed.validation == .all ? placement.ranks : 1
    validation =
      Double((run.validationWindows + segmenters - 1) / segmenters) * forecast.inference
    let steps = settings.training.epochs * run.stepsPerEpoch(ranks: placement.ranks)
    total = Double(steps) * step + Double(run.validations) * validation
    nodes = placement.nodes
  }

  var hours: Double { total / 3600 }
  var nodeHours: Double { hours * Double(nodes) }
}
