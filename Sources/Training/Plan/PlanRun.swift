import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// `lkdist plan`: what a run takes, before it runs.
package struct PlanRun {
  /// What the command line asks for; nil for what this machine and launch give.
  package struct Options: Sendable {
    package var ranks: Int?
    package var ranksPerNode: Int?
    package var network: NetworkSpeed?
    /// A file of lines of `lkdist bench allreduce`, taken on as many ranks a node.
    package var measuredSums: String?
    /// Bytes of a node.
    package var memory: Int?
    /// Whether everything is timed anew, for all splits of a node.
    package var calibrates = false
    /// The folder of kept timings.
    package var timings: String?

    package init() {}
  }

  private let options: Options
  private let world: Communicator
  private let budget: ThreadBudget
  private let sink: LogSink
  /// This process's bytes before it plans; those of a rank before it trains are as many.
  private let program = ProcessMemory.resident

  /// - Parameter isQuiet: whether to say nothing while parts are timed.
  package init(_ options: Options, world: Communicator, budget: ThreadBudget, isQuiet: Bool) {
    (self.options, self.world, self.budget) = (options, world, budget)
    sink = LogSink(nil, terminal: .standardError, isQuiet: isQuiet)
  }

  /// The plan of a run. For the root alone.
  ///
  /// - Throws: `ImagingError` for the data set's headers, `TrainingError` for timings that cannot be kept.
  package func plan(_ setup: RunSetup) throws -> RunPlan {
    let run = try PlannedRun(setup)
    let (placement, network) = (placement, try network())
    let split = NodeSplit(ranks: placement.ranksPerNode, threads: budget.threads)
    let perRank = nodeMemory / split.ranks
    return RunPlan(
      run: run, placement: placement,
      networkIsAssumed: options.network == nil && options.measuredSums == nil,
      memoryOfRank: perRank,
      largestPatch: try PatchSearch(
        run: run, ranks: placement.ranks, threads: split.threads, program: program
      ).largest(within: perRank),
      own: try forecast(run, split: split, nodes: placement.nodes, network),
      others: try otherSplits(than: split, for: run).map {
        try forecast(run, split: $0, nodes: placement.nodes, network)
      })
  }

  private var placement: RankPlacement {
    let ranks = options.ranks ?? world.size
    return RankPlacement(
      ranks: ranks, ranksPerNode: options.ranksPerNode ?? min(ranks, world.localSize))
  }

  private var nodeMemory: Int { options.memory ?? HostMemory.bytes }

  private func network() throws -> NetworkModel {
    var network = ScalingInput.Network()
    network.speed = options.network ?? .assumed
    network.measured = options.measuredSums
    network.measuredRanksPerNode = placement.ranksPerNode
    return try network.model()
  }

  /// The splits of as many cores, if they are to be timed or were before.
  private func otherSplits(than split: NodeSplit, for run: PlannedRun) -> [NodeSplit] {
    let parts = StepParts(run).all
    return NodeSplit.all(ofCores: split.ranks * split.threads).filter {
      $0 != split
        && (options.calibrates || timingFile($0, run).read().missing(of: parts).isEmpty)
    }
  }

  private func timingFile(_ split: NodeSplit, _ run: PlannedRun) -> TimingFile {
    TimingFile(
      in: options.timings, split: split, precision: run.configuration.model.precision)
  }

  private func forecast(
    _ run: PlannedRun, split: NodeSplit, nodes: Int, _ network: NetworkModel
  ) throws -> RunPlan.Split {
    let rehearsal = try run.rehearsal(threads: split.threads)
    let placement = RankPlacement(ranks: split.ranks * nodes, ranksPerNode: split.ranks)
    var plan = RunPlan.Split(
      split: split, rehearsal: rehearsal,
      memory: MemoryPlan(
        run, ranks: placement.ranks, poolBytes: rehearsal.poolBytes, program: program))
    guard plan.nodeBytes <= min(nodeMemory, HostMemory.bytes) || split.ranks == 1 else {
      return plan
    }
    let step = StepForecast(
      rehearsal, prices: try prices(run, split: split), extent: run.extent,
      parameters: run.model.parameterCount, accumulate: run.configuration.training.accumulate)
    plan.step = step
    plan.forecast = RunForecast(
      run, step, on: placement, threads: split.threads, network: network)
    return plan
  }

  /// What calls cost: from kept timings, and what they lack is timed now and kept.
  private func prices(_ run: PlannedRun, split: NodeSplit) throws -> CallPrices {
    let parts = StepParts(run)
    let file = timingFile(split, run)
    var timings = file.read()
    if options.calibrates { timings.forget(parts.all) }
    let missing = timings.missing(of: parts.all).count
    guard missing > 0 else { return timings.prices(of: parts.all) }
    sink.message("timing \(missing) parts of a step on \(split)", level: .info)
    PartTimer(parts, split: split, precision: run.configuration.model.precision)
      .complete(&timings) {
        if sink.isInteractive { sink.progress("\($1)/\($2)  \($0)") }
      }
    sink.endProgress()
    try file.write(timings)
    return timings.prices(of: parts.all)
  }
}
