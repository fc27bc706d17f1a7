import Collectives
import Foundation
import Imaging
import NN
import Tensors

/// Why a step left the weights alone, the same on every rank.
package enum SkipReason: Equatable, Sendable {
  /// The loss or the gradient is not finite.
  case notFinite
  /// The gradient's norm lies so many standard deviations above those of the last good steps.
  case outlier(norm: Double, deviations: Double)

  /// What the log says of the step.
  var description: String {
    switch self {
    case .notFinite: "loss or gradient is not finite"
    case .outlier(let norm, let deviations):
      String(format: "gradient norm %.4g is an outlier, %.1f deviations", norm, deviations)
        + " above the last good steps' (training.outlierZScore)"
    }
  }

  /// What several such steps in a row had.
  fileprivate var trouble: String {
    switch self {
    case .notFinite: "a loss or gradient that is not finite"
    case .outlier: "a gradient norm that is an outlier"
    }
  }

  /// What the user can do about them; `folder` holds the patches that were written.
  fileprivate func advice(_ folder: String) -> String {
    switch self {
    case .notFinite:
      "look at the patches in \(folder), lower optimizer.learningRate or set "
        + "optimizer.maximumGradientNorm"
    case .outlier:
      "look at the subjects that were named, lower optimizer.learningRate or raise "
        + "training.outlierZScore"
    }
  }
}

/// What is known of the skipped steps in a row.
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
  /// Reports a step that was skipped; the sums told all ranks, so all come here. Collective where the
  /// step was bad.
  ///
  /// - Parameters:
  ///   - patches: this rank's.
  ///   - before: the state before the step.
  /// - Returns: how the run ends if there were too many such steps in a row.
  func guardAgainstBadStep(
    _ report: StepReport, _ patches: [Patch], of patchesInStep: Int, before: CheckpointState
  ) throws -> Outcome? {
    guard let reason = report.skipReason else {
      badSteps.inARow = 0
      return nil
    }
    if badSteps.inARow == 0 { badSteps.lastGood = before }
    badSteps.inARow += 1
    // What rounding took from a gradient that is thrown away must not come back.
    reducer.forget()
    let own = findings(in: patches, of: patchesInStep, reason)
      .map { "rank \(world.rank) on \(world.hostName): \($0)" }.joined(separator: "\n")
    activity.begin(.barrier, "a step that is skipped")
    let findings = try world.gather(own)
    logBadStep(reason, (findings ?? []).flatMap { $0.split(separator: "\n") })
    guard badSteps.inARow >= setup.configuration.training.maximumBadSteps else { return nil }
    return try giveUp(reason)
  }

  private func logBadStep(_ reason: SkipReason, _ findings: [Substring]) {
    let cause =
      findings.isEmpty
      ? "; every patch alone is finite: their sum is not, or a rank computed wrongly once" : ""
    log.logger.warning("step \(state.step): \(reason.description), the step is skipped\(cause)")
    for finding in findings { log.logger.warning("\(finding)") }
  }

  /// A line for each patch of this rank that may be the reason: of an outlier every one, otherwise
  /// those that are not finite, whose inputs are written.
  private func findings(
    in patches: [Patch], of patchesInStep: Int, _ reason: SkipReason
  ) -> [String] {
    guard reason == .notFinite else { return patches.map(\.origin) }
    return patches.compactMap { patch in
      firstBadPlace(of: patch, scale: 1 / Float(patchesInStep)).map { place in
        let bad = BadPatch(patch: patch, place: place)
        return "\(bad.description); \(write(bad))"
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
  private func giveUp(_ reason: SkipReason) throws -> Outcome {
    let steps = badSteps.inARow
    if let lastGood = badSteps.lastGood { state = lastGood }
    try saveAtEnd()
    return .failed(
      .badData(
        "\(steps) steps in a row had \(reason.trouble) (training.maximumBadSteps); "
          + "\(folder.checkpoints.last) holds the state before them, after step \(state.step): "
          + "\(reason.advice(folder.badSteps)), then run again"))
  }
}
