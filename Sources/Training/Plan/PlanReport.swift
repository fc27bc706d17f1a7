import Foundation
import Imaging
import NN
import Tensors

extension RunPlan {
  /// The plan for people.
  package var lines: [String] {
    heading + networkLines + memoryLines + fileLines + timeLines + splitLines
  }

  private var heading: [String] {
    let settings = run.configuration
    let ranks = placement.ranks
    let nodes = placement.nodes
    return [
      "\(settings.name): patch \(run.extent), \(run.trainingExtents.count) subjects to train and "
        + "\(run.validationExtents.count) to validate, \(settings.training.epochs) epochs of "
        + "\(run.stepsPerEpoch(ranks: ranks)) steps",
      "on \(nodes) node\(nodes == 1 ? "" : "s") of "
        + "\(own.split), global batch "
        + "\(ranks * settings.training.accumulate)", "",
    ]
  }

  private var networkLines: [String] {
    let work = work
    var table = TextTable()
    table.add(["network", "parameters", "GFLOP forward"])
    for part in work.parts where part.parameters > 0 {
      table.add([
        "  " + part.name, "\(part.parameters)", TextTable.number(part.operations / 1e9, digits: 1),
      ])
    }
    table.add([
      "  all", "\(run.model.parameterCount)",
      TextTable.number(work.parts.reduce(0) { $0 + $1.operations } / 1e9, digits: 1),
    ])
    let reduction = work.stepOperations / work.executedOperations
    return table.lines + [
      String(
        format: "  a step has %.0f GFLOP (multiply and add counted as 2), of which Winograd's "
          + "algorithms leave %.0f (%.1f x fewer)", work.stepOperations / 1e9,
        work.executedOperations / 1e9, reduction)
    ]
      + coverage.map { attention, share in
        "  kernel coverage at 1/\(1 << attention.scale): \(attention.kernelSize)^3 is "
          + share.map { String(format: "%.0f %%", $0 * 100) }.joined(separator: ", ")
          + " of the map along x, y, z"
      } + [""]
  }

  private var memoryLines: [String] {
    var table = TextTable()
    table.add(["memory of a rank", "MiB"])
    for item in memory.items {
      table.add([
        "  " + item.name + (item.isRootOnly ? " (rank 0 alone)" : ""), Self.mebibytes(item.bytes),
      ])
    }
    table.add(["  peak of rank 0", Self.mebibytes(memory.bytes(root: true))])
    if placement.ranks > 1 {
      table.add(["  peak of the others", Self.mebibytes(memory.bytes(root: false))])
    }
    let limit = "the \(Self.mebibytes(memoryOfRank)) MiB of a rank"
    let verdict =
      fits
      ? "  fits into \(limit)"
      : "  DOES NOT FIT into \(limit): try training.recompute: blocks, fewer ranks a node or a "
        + "smaller data.patchSize"
    let largest = largestPatch.map { "the largest patch of this shape that does is \($0)" }
    return table.lines + [
      verdict + "; " + (largest ?? "no patch does"), "",
    ]
  }

  private var fileLines: [String] {
    let bytes = run.checkpointBytes
    let cache =
      run.cacheBytes > 0
      ? "prepared volumes at most \(Self.mebibytes(run.cacheBytes)) MiB on each node"
      : "no prepared volumes are kept"
    return [
      "files: last.safetensors \(Self.mebibytes(bytes.last)) MiB x \(run.configuration.training.keep), "
        + "best.safetensors \(Self.mebibytes(bytes.best)) MiB; \(cache)", "",
    ]
  }

  private var timeLines: [String] {
    guard let step = own.step, let run = own.forecast else {
      return ["time: not timed, for the node's ranks do not fit into its memory", ""]
    }
    var table = TextTable()
    table.add(["time of a step", "s"])
    func add(_ name: String, _ seconds: Double) {
      table.add(["  " + name, TextTable.number(seconds, digits: 3)])
    }
    add("forward and loss", step.profile.forward)
    add("backward", step.profile.backward)
    add("update", step.profile.update)
    if placement.ranks > 1 {
      add("sums of gradients alone", run.allreduce)
      add("of them exposed", run.exposed)
    }
    add("all", run.step)
    return table.lines + assumptions + [
      "",
      String(
        format: "the run: %.1f h (%.1f node-hours), %.1f h of it in %d validations", run.hours,
        run.nodeHours, Double(self.run.validations) * run.validation / 3600,
        self.run.validations), "",
    ]
  }

  private var assumptions: [String] {
    guard placement.nodes > 1 && networkIsAssumed else { return [] }
    return ["  10 Gbit/s between nodes is assumed; say what yours carries by --network 25Gbps,20us"]
  }

  private var splitLines: [String] {
    guard !others.isEmpty else {
      return ["other splits of the node's cores: lkdist plan --calibrate times them"]
    }
    var table = TextTable()
    table.add(["a node's cores as", "step s", "patches/s", "MiB a node"])
    for split in splits {
      table.add([
        "  \(split.split)", TextTable.number(split.forecast?.step, digits: 3),
        TextTable.number(split.forecast?.patchesPerSecond, digits: 3),
        Self.mebibytes(split.nodeBytes),
      ])
    }
    let best = bestSplit.map { ["best: \($0.split)"] } ?? []
    return table.lines + best
  }

  private static func mebibytes(_ bytes: Int) -> String {
    TextTable.number(Double(bytes) / 1_048_576, digits: 0)
  }
}
