import Files
import Foundation
import NN
import Protobuf
import Tensors
import Testing
import Training

/// The ONNX model of a small network against the one that onnxruntime has run and compared with this
/// program's forward pass (scripts/check-onnx.py --fixture).
@Suite struct ONNXTests {
  private func network() throws -> LKUNet {
    let configuration = ModelConfiguration(
      inputs: 1, outputs: 2,
      attention: [AttentionPlacement(scale: 0, kernelSize: 6, dilation: 2)], channels: 16,
      maximumChannels: 16, scales: 2)
    let network = try LKUNet(configuration, on: Compute(threads: 1), seed: 0)
    for parameter in network.parameters.parameters { draw(parameter, in: network.parameters) }
    return network
  }

  /// The values of scripts/drawn_network.py.
  private func draw(_ parameter: Parameter, in store: ParameterStore) {
    let start = parameter.name.utf8.reduce(0) { $0 + Int($1) }
    let isNormWeight = parameter.name.contains("norm") && parameter.name.hasSuffix("weight")
    let values = store.values(of: parameter).mutableValues
    for index in values.indices {
      values[index] = Float((7919 * index + start) % 257 - 128) / 512 + (isNormWeight ? 1 : 0)
    }
  }

  private func model(_ attention: Bool) throws -> Onnx_ModelProto {
    let bytes = try ONNXModel.bytes(
      of: try network(), name: "tiny", metadata: [("labels", "[]")], givesAttention: attention)
    return try Onnx_ModelProto(serializedBytes: bytes)
  }

  private func fixture() throws -> Onnx_ModelProto {
    let url = try #require(
      Bundle.module.url(forResource: "tiny", withExtension: "onnx", subdirectory: "Fixtures"))
    return try Onnx_ModelProto(serializedBytes: try Data(contentsOf: url))
  }

  private func hash(_ data: Data) -> String {
    let hash = Hash()
    hash.update(Array(data))
    return hash.hexadecimal()
  }

  @Test func `the model is the one that onnxruntime has verified`() throws {
    let (model, verified) = (try model(true), try fixture())
    #expect(model.opsetImport == verified.opsetImport && model.opsetImport[0].version == 17)
    #expect(model.irVersion == verified.irVersion)
    #expect(model.graph.node == verified.graph.node)
    #expect(model.graph.input == verified.graph.input)
    #expect(model.graph.output == verified.graph.output)
    // The fixture holds the hashes of the weights that were verified.
    let hexadecimal = verified.graph.initializer.map { tensor in
      tensor.rawData.map { String(format: "%02x", $0) }.joined()
    }
    #expect(model.graph.initializer.map { hash($0.rawData) } == hexadecimal)
    func shapes(_ model: Onnx_ModelProto) -> [String: [Int64]] {
      Dictionary(uniqueKeysWithValues: model.graph.initializer.map { ($0.name, $0.dims) })
    }
    #expect(shapes(model) == shapes(verified))
  }

  @Test func `attention is an output only where it is wanted`() throws {
    #expect(try model(false).graph.output.map(\.name) == ["logits"])
    #expect(try model(true).graph.output.map(\.name) == ["logits", "attention_0"])
    #expect(try model(false).graph.node == model(true).graph.node)
  }

  @Test func `sizes along z, y and x are left open`() throws {
    let shape = try model(false).graph.input[0].type.tensorType.shape.dim
    #expect(shape.map(\.dimValue) == [1, 1, 0, 0, 0])
    #expect(shape.map(\.dimParam) == ["", "", "D", "H", "W"])
  }

  @Test func `the model says what it was told about labels`() throws {
    let entry = try #require(try model(false).metadataProps.first)
    #expect(entry.key == "labels" && entry.value == "[]")
  }
}
