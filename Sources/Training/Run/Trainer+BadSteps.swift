import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// What is known of the steps in a row whose loss or gradient was not finite.
struct BadSteps {
  /// The bad steps since the last good one.
  var inARow = 0
  /// The run's state after the last good step; the weights are still those.
  var lastGood: CheckpointState?
  /// The patches of this rank that were written.
  var patchesWritten = 0

  /// Our choice: a run that is bad now and then must not fill the disk.
  static let mostPatchesWritten = 20
}

extension Trainer {
  /// Reports a step that was skipped because the loss or gradient was not finite; the sums told all
  /// ranks, so all come here. Collective where the step was bad.
  ///
  /// - Parameters:
  ///   - patches: this rank's.
  ///   - before: the state before the step.
  /// - Returns: how the run ends if there were too many such steps in a row.
  func guardAgainstBadStep(
    _ report: StepReport, _ patches: [Patch], of patchesInStep: Int, before: CheckpointState
  ) throws -> Outcome? {
    guard !report.isFinite else {
      badSteps.inARow = 0
      return nil
    }
    if badSteps.inARow == 0 { badSteps.lastGood = before }
    badSteps.inARow += 1
    // What rounding took from a gradient that is thrown away must not come back.
    reducer.forget()
    let own = findings(in: patches, of: patchesInStep).joined(separator: "\n")
    activity.begin(.barrier, "a step that is not finite")
    let findings = try world.gather(own)
    logBadStep((findings ?? []).flatMap { $0.split(separator: "\n") })
    guard badSteps.inARow >= setup.configuration.training.maximumBadSteps else { return nil }
    return try giveUp()
  }

  private func logBadStep(_ findings: [Substring]) {
    let cause =
      findings.isEmpty
      ? "; every patch alone is finite: their sum is not, or a rank computed wrongly once" : ""
    log.logger.warning(
      "step \(state.step): loss or gradient is not finite, the step is skipped\(cause)")
    for finding in findings { log.logger.warning("\(finding)") }
  }

  /// A line for each patch of this rank that is not finite; its inputs are written.
  private func findings(in patches: [Patch], of patchesInStep: Int) -> [String] {
    patches.compactMap { patch in
      firstBadPlace(of: patch, scale: 1 / Float(patchesInStep)).map { place in
        let bad = BadPatch(patch: patch, place: place)
        return "rank \(world.rank) on \(world.hostName): \(bad.description); "
          + write(bad)
      }
    }
  }

  /// Writes a patch for the user and says where it is; a full disk is no reason to stop here.
  private func write(_ bad: BadPatch) -> String {
    guard badSteps.patchesWritten < BadSteps.mostPatchesWritten else {
      return "not written, for \(BadSteps.mostPatchesWritten) of this rank were"
    }
    let name = "step-\(state.step)-\(bad.patch.subject)-\(bad.patch.position)"
    do {
      try folder.createBadSteps()
      let path = try bad.write(
        to: folder.badSteps, name: name,
        spacing: setup.configuration.data.spacing ?? [1, 1, 1])
      badSteps.patchesWritten += 1
      return "written to \(path)"
    } catch {
      return "not written: \(error)"
    }
  }

  /// Ends the run with `last` as of the last good step: skipped steps left the weights alone.
  private func giveUp() throws -> Outcome {
    let steps = badSteps.inARow
    if let lastGood = badSteps.lastGood { state = lastGood }
    try saveAtEnd()
    return .failed(
      .badData(
        "\(steps) steps in a row had a loss or gradient that is not finite "
          + "(training.maximumBadSteps); \(folder.checkpoints.last) holds the state before them, "
          + "after step \(state.step): look at the patches in \(folder.badSteps), lower "
          + "optimizer.learningRate or set optimizer.maximumGradientNorm, then run again"))
  }
}
