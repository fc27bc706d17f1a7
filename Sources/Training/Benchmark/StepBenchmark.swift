import Foundation
import NN
import Tensors

/// Times whole training steps on random data: forward with loss, backward, update.
package final class StepBenchmark {
  let model: LKUNet
  let optimizer: Adam
  private let compute: Compute
  private let image: VoxelGrid
  private let target: Target

  /// A network of `configuration` and a random patch of `extent`.
  ///
  /// - Throws: `ModelError` for a network outside the model domain.
  package init(
    _ configuration: ModelConfiguration, extent: Extent, recompute: Recompute,
    on compute: Compute
  ) throws(ModelError) {
    model = try LKUNet(configuration, recompute: recompute, on: compute, seed: 1)
    optimizer = Adam(count: model.parameters.count)
    self.compute = compute
    image = .random(Shape(channels: configuration.inputs, extent: extent), "image")
    var stream = RandomStream(seed: 1, purpose: "regions")
    let regions = Shape(channels: configuration.outputs, extent: extent)
    target = .regions(
      VoxelGrid(regions, values: (0..<regions.count).map { _ in stream.uniform() < 0.2 ? 1 : 0 }))
  }

  /// The last step's seconds by layer and phase, in the order of the step, and last those that no layer
  /// took; empty without a profile. They add up to the step.
  package private(set) var profile: [JSON] = []

  /// Runs one step; the JSON line says the seconds of its parts and the process's peak memory.
  package func step() -> JSON {
    let clock = ContinuousClock()
    compute.profile?.reset()
    model.parameters.zeroGradients()
    var result: LossResult?
    let forward = clock.measure {
      let logits = model.forward(image)
      result = compute.measure("loss", .forward) {
        Loss.diceBCE(logits, target: target, scale: 1, on: compute)
      }
    }
    let backward = clock.measure { model.backward(result?.gradients ?? []) { _ in } }
    let update = clock.measure {
      compute.measure("optimizer", .update) {
        optimizer.update(model.parameters, learningRate: 3e-4, on: compute)
      }
    }
    let seconds = [forward, backward, update].map { $0 / .seconds(1) }
    profile = lines(step: seconds.reduce(0, +))
    return [
      "forward_s": .number(seconds[0]), "backward_s": .number(seconds[1]),
      "update_s": .number(seconds[2]), "step_s": .number(seconds.reduce(0, +)),
      "peak_rss_bytes": .integer(Self.peakMemory),
    ]
  }

  private func lines(step: Double) -> [JSON] {
    guard let entries = compute.profile?.entries else { return [] }
    func line(_ layer: String, _ phase: String, _ seconds: Double) -> JSON {
      [
        "layer": .string(layer), "phase": .string(phase), "s": .number(seconds),
        "share": .number(seconds / step),
      ]
    }
    let rest = step - entries.reduce(0) { $0 + $1.seconds }
    return entries.map { line($0.layer, $0.phase.rawValue, $0.seconds) } + [line("rest", "", rest)]
  }

  /// The largest resident size of the process so far, in bytes (getrusage counts KiB).
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
