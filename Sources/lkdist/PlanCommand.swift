import ArgumentParser
import Collectives
import Training

/// `lkdist plan`.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Tell what a run takes: parameters, FLOPs, memory, time; reads no image.",
    discussion: """
      The layers of the network are timed on this machine the first time they are asked for, and the
      timings are kept. Plan on a node like those that will train. Examples:
        lkdist plan
        lkdist plan heart.yaml --ranks 64 --ranks-per-node 2 --threads 16 --network 25Gbps,20us
        lkdist plan --memory 64GiB --calibrate   also which split of the node's cores is best
      """)

  @OptionGroup var file: ConfigurationOptions
  @OptionGroup var shared: SharedOptions
  @OptionGroup var plan: PlanOptions

  @Flag(help: "Print all of it as JSON.")
  var json = false

  func run() throws {
    let session = try MPISession()
    let configuration = try Configuration.load(file.configuration, overrides: file.allOverrides)
    let setup = try RunSetup(configuration, world: session.world, readsImages: false)
    let budget = try ThreadBudget.ofThisRank(flag: shared.threads, world: session.world)
    if session.world.rank == 0 {
      let result = try PlanRun(
        plan.options, world: session.world, budget: budget, isQuiet: shared.quiet
      ).plan(setup)
      print(json ? result.json.indentedText() : result.lines.joined(separator: "\n"))
    }
    try session.world.barrierPatiently()
    try session.finalize()
  }
}

/// What a plan is for.
struct PlanOptions: ParsableArguments {
  @Option(help: "Ranks of the run; those of this launch by default.")
  var ranks: Int?

  @Option(help: "Ranks of each node.")
  var ranksPerNode: Int?

  @Option(help: "What the network between nodes carries, such as 25Gbps,20us.")
  var network: NetworkSpeed?

  @Option(
    help: ArgumentHelp(
      "Lines of 'lkdist bench allreduce' with as many ranks a node, to which the network's costs are fitted.",
      valueName: "file"))
  var measuredSums: String?

  @Option(help: "Memory of a node, such as 64GiB; this host's by default.")
  var memory: MemorySize?

  @Flag(help: "Time all layers anew, for every split of a node's cores into ranks.")
  var calibrate = false

  @Option(help: "The folder of kept timings; lkdist in the user's caches by default.")
  var timings: String?

  func validate() throws {
    for (name, value) in [("--ranks", ranks), ("--ranks-per-node", ranksPerNode)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1") }
    }
    if let ranks, let ranksPerNode, ranksPerNode > ranks {
      throw ValidationError("--ranks-per-node is more than --ranks")
    }
  }

  var options: PlanRun.Options {
    var options = PlanRun.Options()
    (options.ranks, options.ranksPerNode) = (ranks, ranksPerNode)
    (options.network, options.measuredSums) = (network, measuredSums)
    options.memory = memory?.bytes
    (options.calibrates, options.timings) = (calibrate, timings)
    return options
  }
}
