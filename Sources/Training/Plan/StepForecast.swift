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
    let start = prices.total(of: rehearsal.forwardCalls)
    let forward = prices.total(of: rehearsal.forwardCalls.filter { $0.phase != .update })
    let updates = prices.total(of: rehearsal.calls.filter { $0.phase == .update })
    let backward = prices.total(of: rehearsal.calls) - updates - forward
    let others = Double(accumulate - 1) * (forward + backward)
    profile = StepProfile(
      patchSize: extent.xyz, forward: others + forward, backward: backward, update: updates,
      final: rehearsal.releases.map {
        StepProfile.Moment(
          seconds: prices.total(of: $0.calls) - start, gradients: parameters - $0.offset)
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
  /// Patches that a node trains on in a second.
  let patchesPerSecond: Double
  let hours: Double
  let nodeHours: Double

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
    patchesPerSecond = Double(placement.ranksPerNode * settings.training.accumulate) / step
    hours = (Double(steps) * step + Double(run.validations) * validation) / 3600
    nodeHours = hours * Double(placement.nodes)
  }
}
