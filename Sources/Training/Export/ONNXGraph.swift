import Foundation
import Protobuf
import Tensors

/// An ONNX graph in the making: values have names, and a node is named after what it makes.
struct ONNXGraph {
  private(set) var proto = Onnx_GraphProto()

  /// A graph called `name`.
  init(name: String) { proto.name = name }

  /// Adds a node and returns the name of its output.
  mutating func add(
    _ operation: String, _ inputs: [String], as output: String,
    _ attributes: [Onnx_AttributeProto] = []
  ) -> String {
    var node = Onnx_NodeProto()
    node.name = output
    node.opType = operation
    node.input = inputs
    node.output = [output]
    node.attribute = attributes
    proto.node.append(node)
    return output
  }

  /// Adds floats of a shape that is as large; their name.
  mutating func add(_ values: FloatSlice, shape: [Int], as name: String) -> String {
    add(Data(buffer: values.values), .float, shape, name)
  }

  /// Adds a row of floats; its name.
  mutating func add(_ values: [Float], as name: String) -> String {
    add(values.withUnsafeBufferPointer { Data(buffer: $0) }, .float, [values.count], name)
  }

  /// Adds a row of whole numbers; its name.
  mutating func add(_ values: [Int64], as name: String) -> String {
    add(values.withUnsafeBufferPointer { Data(buffer: $0) }, .int64, [values.count], name)
  }

  private mutating func add(
    _ data: Data, _ type: Onnx_TensorProto.DataType, _ shape: [Int], _ name: String
  ) -> String {
    var tensor = Onnx_TensorProto()
    tensor.name = name
    tensor.dims = shape.map(Int64.init)
    tensor.dataType = Int32(type.rawValue)
    tensor.rawData = data
    proto.initializer.append(tensor)
    return name
  }

  /// Declares what the graph reads.
  mutating func addInput(_ name: String, _ sizes: [ONNXSize], note: String) {
    proto.input.append(Self.value(name, sizes, note))
  }

  /// Declares a value as one that the graph gives.
  mutating func addOutput(_ name: String, _ sizes: [ONNXSize], note: String) {
    proto.output.append(Self.value(name, sizes, note))
  }

  private static func value(
    _ name: String, _ sizes: [ONNXSize], _ note: String
  ) -> Onnx_ValueInfoProto {
    var value = Onnx_ValueInfoProto()
    value.name = name
    value.docString = note
    value.type.tensorType.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
    value.type.tensorType.shape.dim = sizes.map { size in
      var dimension = Onnx_TensorShapeProto.Dimension()
      switch size {
      case .fixed(let count): dimension.dimValue = Int64(count)
      case .free(let name): dimension.dimParam = name
      }
      return dimension
    }
    return value
  }
}

/// One size of a value: a number, or a name where it is known when the graph runs.
enum ONNXSize {
  case fixed(Int)
  case free(String)
}

extension Onnx_AttributeProto {
  static func int(_ name: String, _ value: Int) -> Self {
    make(name, .int) { $0.i = Int64(value) }
  }

  static func ints(_ name: String, _ values: [Int]) -> Self {
    make(name, .ints) { $0.ints = values.map(Int64.init) }
  }

  static func float(_ name: String, _ value: Float) -> Self {
    make(name, .float) { $0.f = value }
  }

  private static func make(
    _ name: String, _ type: AttributeType, _ fill: (inout Self) -> Void
  ) -> Self {
    var attribute = Self()
    attribute.name = name
    attribute.type = type
    fill(&attribute)
    return attribute
  }
}
