import Collectives
import Foundation
import NN
import Tensors

/// Times whole training steps on random data: forward with loss, backward, update.
package final class StepBenchmark {
  let model: LKUNet
  let optimizer: Adam
  private let compute: Compute
  private let extent: Extent
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
    (self.compute, self.extent) = (compute, extent)
    image = .random(Shape(channels: configuration.inputs, extent: extent), "image")
    var stream = RandomStream(seed: 1, purpose: "regions")
    let regions = Shape(channels: configuration.outputs, extent: extent)
    target = .regions(
      VoxelGrid(regions, values: (0..<regions.count).map { _ in stream.uniform() < 0.2 ? 1 : 0 }))
  }

  /// The last step's seconds by layer and phase, in the order of the step, and last those that no layer
  /// took; empty without a profile. They add up to the step.
  package private(set) var profile: [JSON] = []

  // Of every step so far, and when gradients were final in the last one.
  private var steps: [StepSeconds] = []
  private var moments: [StepProfile.Moment] = []

  /// What the steps so far tell `lkdist simulate`; the first one, which warms up, counts only if it is
  /// alone.
  package var stepProfile: StepProfile {
    StepProfile(
      patchSize: extent.xyz,
      steps: steps.count > 1 ? Array(steps.dropFirst()) : steps, moments: moments)
  }

  /// The block of all gradients.
  var gradients: FloatSlice { model.parameters.gradients.slice }

  /// Runs one step; the JSON line says the seconds of its parts and the process's peak memory.
  ///
  /// - Parameter reducer: sums the gradients over the ranks; none to leave the others alone.
  package func step(
    summingBy reducer: GradientReducer? = nil
  ) throws(CommunicationError) -> JSON {
    compute.profile?.reset()
    model.parameters.zeroGradients()
    var clock = PhaseClock()
    let logits = model.forward(image)
    let result = Loss.diceBCE(logits, target: target, scale: 1, on: compute)
    clock.end(\.forward)
    moments = []
    model.backward(result.gradients) { firstFinal in
      moments.append(
        StepProfile.Moment(
          seconds: clock.secondsSinceLastEnd, gradients: gradients.count - firstFinal))
      reducer?.gradientsAreFinal(from: firstFinal)
    }
    clock.end(\.backward)
    if let reducer {
      try reducer.finish()
      clock.endAllreduce(reducer)
    }
    optimizer.update(model.parameters, learningRate: 3e-4, on: compute)
    clock.end(\.update)
    steps.append(clock.seconds)
    return line(of: clock.seconds, communicates: reducer != nil)
  }

  private func line(of seconds: StepSeconds, communicates: Bool) -> JSON {
    let step = seconds.forward + seconds.backward + seconds.allreduceExposed + seconds.update
    profile = lines(step: step)
    let communication: [JSON.Member] = [
      JSON.Member("allreduce_exposed_s", .number(seconds.allreduceExposed)),
      JSON.Member("allreduce_hidden_s", .number(seconds.allreduceHidden)),
    ]
    return .object(
      [
        JSON.Member("forward_s", .number(seconds.forward)),
        JSON.Member("backward_s", .number(seconds.backward)),
      ] + (communicates ? communication : []) + [
        JSON.Member("update_s", .number(seconds.update)), JSON.Member("step_s", .number(step)),
        JSON.Member("peak_rss_bytes", .integer(ProcessMemory.peak)),
      ])
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
}
