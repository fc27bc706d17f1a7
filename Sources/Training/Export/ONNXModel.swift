import Foundation
import NN
import Protobuf

/// A trained network as an ONNX file.
package enum ONNXModel {
  /// The version of the operators; 17 has all that is needed and old runtimes read it.
  private static let operatorSet: Int64 = 17
  /// The version of the format that came with it.
  private static let format: Int64 = 8

  /// The bytes of the file: `image` to `logits`, and to `attention_<scale>` where wanted.
  ///
  /// - Parameter metadata: texts that tell users how to prepare images and what the outputs are.
  /// - Throws: `configuration` for a network beyond the format's 2 GiB.
  package static func bytes(
    of network: LKUNet, name: String, metadata: [(key: String, value: String)],
    givesAttention: Bool
  ) throws(TrainingError) -> [UInt8] {
    guard 4 * network.parameters.count < 1 << 31 - 1 << 24 else {
      throw .configuration(
        "the network's \(network.parameters.count) parameters are more than the 2 GiB of an ONNX "
          + "file; export it with --safetensors")
    }
    var model = Onnx_ModelProto()
    model.irVersion = format
    model.producerName = "lkdist"
    model.producerVersion = Version.current
    var operators = Onnx_OperatorSetIdProto()
    operators.domain = ""
    operators.version = operatorSet
    model.opsetImport = [operators]
    model.metadataProps = metadata.map { key, value in
      var entry = Onnx_StringStringEntryProto()
      entry.key = key
      entry.value = value
      return entry
    }
    model.graph = ONNXNetwork(network, name: name, givesAttention: givesAttention).graph.proto
    do {
      return try model.serializedBytes()
    } catch {
      throw .internal("the network cannot be written as ONNX: \(error)")
    }
  }
}
