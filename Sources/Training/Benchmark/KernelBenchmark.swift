import Kernels
import NN
import Tensors

/// Times every convolution of a network on random data, pass by pass and implementation by implementation.
package struct KernelBenchmark {
  private let layers: [CataloguedConvolution]
  private let store: ParameterStore
  private let compute: Compute
  private let repeats: Int

  private enum Pass: String, CaseIterable {
    case forward
    case inputGradient = "input gradient"
    case weightGradient = "weight gradient"
  }

  /// The layers of `configuration` on a patch of `extent`, or those whose names contain `name`; the
  /// best of `repeats` runs counts.
  package init(
    _ configuration: ModelConfiguration, extent: Extent, named name: String? = nil, repeats: Int,
    on compute: Compute
  ) {
    var seen: Set<CataloguedConvolution.Work> = []
    layers = configuration.convolutions(on: extent).filter { layer in
      (name.map { layer.name.contains($0) } ?? true) && seen.insert(layer.work).inserted
    }
    store = ParameterStore(configuration.parameters, on: compute)
    store.initialize(seed: 1)
    self.compute = compute
    self.repeats = repeats
  }

  /// Hands over one JSON line for each unlike layer, pass and implementation.
  package func run(_ report: (JSON) -> Void) {
    for layer in layers {
      for implementation in layer.implementations {
        var convolution = Convolution(
          layer.name, layer.kind, inputs: layer.input.channels, outputs: layer.output.channels,
          in: store)
        convolution.implementation = implementation
        for pass in Pass.allCases where !(layer.readsImage && pass == .inputGradient) {
          report(time(convolution, layer, pass))
        }
      }
    }
  }

  private func time(
    _ convolution: Convolution, _ layer: CataloguedConvolution, _ pass: Pass
  ) -> JSON {
    let input = layer.randomInput(on: compute)
    let gradient = FeatureMap.random(layer.output, "gradient", on: compute)
    var seconds = Double.infinity
    let before = FloatingPointPeak.measure(on: compute)
    for _ in 0..<repeats + 1 {
      let duration = ContinuousClock().measure {
        switch pass {
        case .forward: _ = convolution.forward(input, on: compute)
        case .inputGradient: _ = convolution.inputGradient(gradient, on: compute)
        case .weightGradient: convolution.addGradients(gradient, input: input, on: compute)
        }
      }
      seconds = min(seconds, duration / .seconds(1))
    }
    let peak = max(before, FloatingPointPeak.measure(on: compute))
    let bytes = 4 * Double(layer.input.count + layer.output.count)
    let weights = 4 * Double(convolution.parameters.weight.count)
    return [
      "layer": .string(layer.name), "pass": .string(pass.rawValue),
      "implementation": convolution.implementation.map { .string($0.rawValue) } ?? .null,
      "input": .string("\(layer.input)"), "output": .string("\(layer.output)"),
      "ms": .number(seconds * 1e3), "gflop_s": .number(layer.flops / seconds / 1e9),
      "peak_gflop_s": .number(peak / 1e9), "share_of_peak": .number(layer.flops / seconds / peak),
      "gb_s": .number((bytes + weights) / seconds / 1e9),
    ]
  }
}

extension CataloguedConvolution {
  /// What makes two layers the same work.
  fileprivate struct Work: Hashable {
    let kind: Convolution.Kind
    let input: Shape
    let output: Shape
  }

  fileprivate var work: Work { Work(kind: kind, input: input, output: output) }

  fileprivate var implementations: [DenseImplementation?] {
    switch kind {
    case .dense(let size, _):
      readsImage ? [nil] : size == 1 ? [.sweep] : DenseImplementation.allCases
    case .transposed: DenseImplementation.allCases
    case .depthwise: [nil]
    }
  }

  fileprivate func randomInput(on compute: Compute) -> LayerInput {
    readsImage
      ? .image(.random(input, "input"))
      : .maps([.random(input, "input", on: compute)])
  }
}
