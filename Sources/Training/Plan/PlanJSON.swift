import Imaging
import NN
import Tensors

extension RunPlan {
  /// The plan for programs; seconds, bytes and operations.
  package var json: JSON {
    let (bytes, work) = (run.checkpointBytes, work)
    return [
      "patch": .array(run.extent.xyz.map(JSON.integer)),
      "ranks": .integer(placement.ranks), "ranks_per_node": .integer(placement.ranksPerNode),
      "nodes": .integer(placement.nodes), "threads": .integer(own.split.threads),
      "parameters": .object(
        work.parts.map { JSON.Member($0.name, .integer($0.parameters)) }
          + [JSON.Member("all", .integer(run.model.parameterCount))]),
      "forward_operations": .object(
        work.parts.map { JSON.Member($0.name, .number($0.operations)) }),
      "step_operations": .number(work.stepOperations),
      "executed_operations": .number(work.executedOperations),
      "kernel_coverage": .array(
        coverage.map {
          [
            "scale": .integer($0.placement.scale),
            "kernel_size": .integer($0.placement.kernelSize),
            "share": .array($0.share.map(JSON.number)),
          ]
        }),
      "memory": .object(memory.items.map { JSON.Member($0.name, .integer($0.bytes)) }),
      "peak_bytes": .integer(memory.bytes(root: false)),
      "root_peak_bytes": .integer(memory.bytes(root: true)), "fits": .bool(fits),
      "largest_patch": largestPatch.map { .array($0.xyz.map(JSON.integer)) } ?? .null,
      "checkpoint_bytes": .integer(bytes.last), "weights_bytes": .integer(bytes.best),
      "cache_bytes": .integer(run.cacheBytes),
      "steps_per_epoch": .integer(run.stepsPerEpoch(ranks: placement.ranks)),
      "splits": .array(splits.map(json)),
      "best_split": bestSplit.map { .string("\($0.split)") } ?? .null,
    ]
  }

  private func json(_ split: Split) -> JSON {
    let (step, forecast) = (split.step?.profile, split.forecast)
    return [
      "ranks": .integer(split.split.ranks), "threads": .integer(split.split.threads),
      "node_bytes": .integer(split.nodeBytes), "forward_s": .finite(step?.forward),
      "backward_s": .finite(step?.backward), "update_s": .finite(step?.update),
      "allreduce_s": .finite(forecast?.allreduce),
      "allreduce_exposed_s": .finite(forecast?.exposed), "step_s": .finite(forecast?.step),
      "validation_s": .finite(forecast?.validation), "hours": .finite(forecast?.hours),
      "node_hours": .finite(forecast?.nodeHours),
      // As `lkdist simulate` reads it.
      "profile": step?.json ?? .null,
      "patches_per_s": .finite(forecast?.patchesPerSecond),
    ]
  }
}
