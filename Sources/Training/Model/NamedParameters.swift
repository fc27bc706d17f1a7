import NN
import Tensors

extension ParameterStore {
  /// The slices of `block`, one of the flat blocks, under the parameters' names.
  func named(in block: FloatBuffer) -> [NamedTensor] {
    parameters.map {
      NamedTensor(
        name: $0.name, shape: $0.shape,
        values: FloatSlice(buffer: block, offset: $0.offset, count: $0.count))
    }
  }

  /// The weights under their names.
  var namedValues: [NamedTensor] { named(in: values) }
}
