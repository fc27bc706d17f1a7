import NN
import Tensors

/// The largest patch of a given shape whose step fits into memory.
struct PatchSearch {
  let run: PlannedRun
  let ranks: Int
  let threads: Int
  /// Bytes of a process that has done nothing yet.
  let program: Int

  /// The largest extent that fits into `bytes`, growing from the smallest one along the shape of the
  /// configured patch; nil if none does.
  func largest(within bytes: Int) throws -> Extent? {
    guard try fits(extent(0), bytes) else { return nil }
    var (fitting, tooLarge) = (0, 1)
    while try fits(extent(tooLarge), bytes) { (fitting, tooLarge) = (tooLarge, 2 * tooLarge) }
    while tooLarge - fitting > 1 {
      let middle = (fitting + tooLarge) / 2
      if try fits(extent(middle), bytes) { fitting = middle } else { tooLarge = middle }
    }
    return extent(fitting)
  }

  /// The bytes of the root at the peak of a step on a patch.
  private func fits(_ patch: Extent, _ bytes: Int) throws -> Bool {
    let run = run.with(patch: patch)
    let rehearsal = try run.rehearsal(threads: threads)
    let plan = MemoryPlan(
      run, ranks: ranks, poolBytes: rehearsal.poolBytes, program: program)
    return plan.bytes(root: true) <= bytes
  }

  /// The patch after `growths` steps, each of which lengthens the axis that is most behind its share by
  /// one multiple.
  private func extent(_ growths: Int) -> Extent {
    let multiple = run.model.patchMultiple
    var counts = [1, 1, 1]
    for _ in 0..<growths {
      let axis = (0..<3).min {
        Double(counts[$0]) / Double(run.extent.xyz[$0])
          < Double(counts[$1]) / Double(run.extent.xyz[$1])
      }
      counts[axis ?? 0] += 1
    }
    return Extent(xyz: counts.map { $0 * multiple })
  }
}

extension PlannedRun {
  /// A step of the run, rehearsed on a rank of `threads` threads.
  func rehearsal(threads: Int) throws -> StepRehearsal {
    try StepRehearsal(
      model, loss: loss, extent: extent, recompute: configuration.training.recompute,
      threads: threads, precision: configuration.model.precision)
  }
}
