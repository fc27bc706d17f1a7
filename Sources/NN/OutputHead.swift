import Kernels
import Tensors

/// A 1^3 convolution from a decoder stage to planar logits; it keeps nothing between calls.
package struct OutputHead {
  private let parameters: LayerParameters
  private let inputs: Int
  private let outputs: Int

  /// The head called `name`, from `inputs` channels to `outputs` logits.
  package init(_ name: String, inputs: Int, outputs: Int, in store: ParameterStore) {
    parameters = store.weights(of: name)
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Where the head begins in the flat block.
  package var offset: Int { parameters.offset }

  /// The logits at the map's extent.
  package func forward(_ x: FeatureMap, on compute: Compute) -> VoxelGrid {
    compute.measure(parameters.name, .forward) {
      Head.forward(
        x, weight: parameters.weight, bias: parameters.bias, outputs: outputs, on: compute)
    }
  }

  /// Adds the parameters' gradients and returns the gradient of the input, which is gone before.
  package func backward(
    _ dLogits: VoxelGrid, input: () -> FeatureMap, on compute: Compute
  ) -> FeatureMap {
    addGradients(dLogits, input: input(), on: compute)
    return compute.measure(parameters.name, .inputGradient) {
      Head.inputGradient(dLogits, weight: parameters.weight, inputs: inputs, on: compute)
    }
  }

  private func addGradients(_ dLogits: VoxelGrid, input x: FeatureMap, on compute: Compute) {
    compute.measure(parameters.name, .weightGradient) {
      Head.weightGradient(
        x, dLogits, weight: parameters.weightGradient, bias: parameters.biasGradient, on: compute)
    }
  }
}
