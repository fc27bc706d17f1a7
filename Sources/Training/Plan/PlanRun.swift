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
    let placement = placement
    let split = NodeSplit(ranks: placement.ranksPerNode, threads: budget.threads)
    let rehearsal = try run.rehearsal(threads: split.threads)
    let memory = MemoryPlan(
      run, ranks: placement.ranks, poolBytes: rehearsal.poolBytes, program: program)
    let perRank = nodeMemory / split.ranks
    return RunPlan(
      run: run, placement: placement, threads: split.threads, network: network,
      networkIsAssumed: options.network == nil,
      work: WorkSummary(run.model, extent: run.extent, rehearsal), memory: memory,
      memoryOfRank: perRank,
      largestPatch: try PatchSearch(
        run: run, ranks: placement.ranks, threads: split.threads, program: program
      ).largest(within: perRank),
      splits: try splits(of: split, placement.nodes).map {
        try forecast(run, split: $0, nodes: placement.nodes)
      })
  }

  private var placement: RankPlacement {
    let ranks = options.ranks ?? world.size
    return RankPlacement(
      ranks: ranks, ranksPerNode: options.ranksPerNode ?? min(ranks, world.localSize))
  }

  private var nodeMemory: Int { options.memory ?? HostMemory.bytes }

  private var network: NetworkModel { NetworkModel(options.network ?? .assumed) }

  /// The split of the run, and if all are timed, or were before, the others of as many cores.
  private func splits(of split: NodeSplit, _ nodes: Int) -> [NodeSplit] {
    let others = NodeSplit.all(ofCores: split.ranks * split.threads).filter { $0 != split }
    return [split] + (options.calibrates ? others : [])
  }

  private func forecast(
    _ run: PlannedRun, split: NodeSplit, nodes: Int
  ) throws -> RunPlan.Split {
    let rehearsal = try run.rehearsal(threads: split.threads)
    let placement = RankPlacement(ranks: split.ranks * nodes, ranksPerNode: split.ranks)
    let memory = MemoryPlan(
      run, ranks: placement.ranks, poolBytes: rehearsal.poolBytes, program: program)
    let node = memory.bytes(root: true) + (split.ranks - 1) * memory.bytes(root: false)
    guard node <= min(nodeMemory, HostMemory.bytes) || split.ranks == 1 else {
      return RunPlan.Split(split: split, nodeBytes: node, step: nil, forecast: nil)
    }
    let prices = try prices(run, split: split)
    let step = StepForecast(
      rehearsal, prices: prices, extent: run.extent, parameters: run.model.parameterCount,
      accumulate: run.configuration.training.accumulate)
    return RunPlan.Split(
      split: split, nodeBytes: node, step: step,
      forecast: RunForecast(run, step, on: placement, network: network))
  }

  /// What calls cost: from kept timings, and what they lack is timed now and kept.
  private func prices(_ run: PlannedRun, split: NodeSplit) throws -> CallPrices {
    let parts = StepParts(model: run.model, loss: run.loss, extent: run.extent)
    let precision = run.configuration.model.precision
    let file = TimingFile(in: options.timings, split: split, precision: precision)
    var timings = file.read()
    if options.calibrates { timings.forget(parts.all) }
    let missing = timings.missing(of: parts.all).count
    guard missing > 0 else { return timings.prices(of: parts.all) }
    sink.message("timing \(missing) parts of a step on \(split)", level: .info)
    PartTimer(parts: parts, split: split, precision: precision).complete(&timings) {
      if sink.isInteractive { sink.progress("\($1)/\($2)  \($0)") }
    }
    sink.endProgress()
    try file.write(timings)
    return timings.prices(of: parts.all)
  }
}
