import Foundation
import NN
import Tensors

/// Times what a checkpoint costs training: the copy, and steps that are slower while the copy is
/// written.
package final class CheckpointBenchmark {
  private let benchmark: StepBenchmark
  private let writer: CheckpointWriter
  private let folder: CheckpointFolder
  private var memory = SnapshotMemory()

  /// Checkpoints of a network of `configuration`, in `folder`.
  ///
  /// - Throws: `ModelError` for a network outside the model domain.
  package init(
    _ configuration: ModelConfiguration, extent: Extent, folder: String, on compute: Compute
  ) throws(ModelError) {
    benchmark = try StepBenchmark(configuration, extent: extent, recompute: .none, on: compute)
    self.folder = CheckpointFolder(folder)
    writer = CheckpointWriter(self.folder, keep: 1)
  }

  /// The median seconds of `steps` steps while nothing is written.
  package func secondsPerStep(_ steps: Int) throws -> Double {
    let seconds = try (0..<steps).map { _ in try stepSeconds() }
    return seconds.sorted()[steps / 2]
  }

  /// Writes one checkpoint while steps go on.
  ///
  /// - Parameter idle: the seconds of a step while nothing is written.
  /// - Returns: a line with the seconds that training was held up, and their share of 10 minutes.
  /// - Throws: `inputOutput` where the checkpoint cannot be written.
  package func checkpoint(idle: Double) throws -> JSON {
    let clock = ContinuousClock()
    let start = clock.now
    let snapshot = snapshot()
    let copied = clock.now
    writer.start(snapshot, as: [.last]) { _ in }
    var steps: [Double] = []
    repeat { steps.append(try stepSeconds()) } while !writer.isIdle
    if let failure = writer.wait() { throw failure.error }
    let copy = (copied - start) / .seconds(1)
    let heldUp = copy + steps.reduce(0) { $0 + $1 - idle }
    let bytes = try? FileManager.default.attributesOfItem(atPath: folder.last)[.size] as? Int
    return [
      "bytes": .integer(bytes ?? 0), "copy_s": .number(copy), "step_s": .number(idle),
      "steps_while_writing": .integer(steps.count),
      "step_while_writing_s": .number(steps.reduce(0, +) / Double(steps.count)),
      "held_up_s": .number(heldUp), "share_of_10_minutes": .number(heldUp / 600),
    ]
  }

  private func stepSeconds() throws -> Double { try benchmark.step()["step_s"]?.number ?? 0 }

  private func snapshot() -> CheckpointSnapshot {
    let parameters = benchmark.model.parameters
    let optimizer = benchmark.optimizer
    let copies = memory.copies(of: [parameters.values, optimizer.first, optimizer.second])
      .map(parameters.named(in:))
    return CheckpointSnapshot(
      weights: copies[0], first: copies[1], second: copies[2],
      metadata: CheckpointMetadata(
        state: CheckpointState(step: 0, epoch: 0, ranks: 1, seed: 1),
        configuration: Configuration(), labels: .array([])))
  }
}
