import Foundation

/// `dataset.json` of the Medical Segmentation Decathlon (MSD) layout.
struct DecathlonDescription: Decodable {
  let name: String?
  let channels: [String]
  let labels: [DatasetLabel]
  let training: [Entry]

  /// One subject of the training list: `{"image": …, "label": …}` or the image alone.
  struct Entry: Decodable {
    let image: String
    let label: String?

    private enum Keys: String, CodingKey { case image, label }

    init(from decoder: any Decoder) throws {
      if let image = try? decoder.singleValueContainer().decode(String.self) {
        (self.image, label) = (image, nil)
        return
      }
      let entry = try decoder.container(keyedBy: Keys.self)
      image = try entry.decode(String.self, forKey: .image)
      label = try entry.decodeIfPresent(String.self, forKey: .label)
    }
  }

  private enum Keys: String, CodingKey {
    case name, modality, labels, training
    case channelNames = "channel_names"
  }

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: Keys.self)
    name = try object.decodeIfPresent(String.self, forKey: .name)
    let key: Keys = object.contains(.channelNames) ? .channelNames : .modality
    channels = try Self.channels(object, key)
    labels = try Self.labels(object)
    training = try object.decode([Entry].self, forKey: .training)
  }

  private static func channels(
    _ object: KeyedDecodingContainer<Keys>, _ key: Keys
  ) throws -> [String] {
    let names = try object.decode([String: String].self, forKey: key)
    return try (0..<names.count).map { index in
      guard let name = names[String(index)] else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: object, debugDescription: "there is no channel \"\(index)\"")
      }
      return name
    }
  }

  /// MSD writes value to name, nnU-Net name to value; either is taken.
  private static func labels(_ object: KeyedDecodingContainer<Keys>) throws -> [DatasetLabel] {
    var labels: [DatasetLabel] = []
    if let values = try? object.decode([String: Int].self, forKey: .labels) {
      labels = values.map { DatasetLabel(value: $0.value, name: $0.key) }
    } else {
      labels = try object.decode([String: String].self, forKey: .labels).map { key, name in
        guard let value = Int(key) else {
          throw DecodingError.dataCorruptedError(
            forKey: .labels, in: object, debugDescription: "\"\(key)\" is not a label value")
        }
        return DatasetLabel(value: value, name: name)
      }
    }
    let values = Set(labels.map(\.value))
    guard values.contains(0), values.count == labels.count, labels.count > 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: .labels, in: object,
        debugDescription: "labels need 0 (background) and at least one other, each value once")
    }
    return labels.sorted { $0.value < $1.value }
  }
}

/// JSON files, with errors that name the file, the key and, where known, the line.
enum JSONFile {
  /// Reads a value of a JSON file.
  ///
  /// - Throws: `missing`, `inputOutput`, or `badData` for text that is not what it should be.
  static func read<Value: Decodable>(_: Value.Type, from path: String) throws(ImagingError) -> Value
  {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .missing("\(path): no such file")
    }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .inputOutput("\(path) cannot be read: \(error.localizedDescription)")
    }
    do { return try JSONDecoder().decode(Value.self, from: data) } catch {
      throw .badData("\(path): \(explanation(of: error))")
    }
  }

  private static func explanation(of error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      "key \"\(name(context.codingPath + [key]))\" is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "key \"\(name(context.codingPath))\": \(context.debugDescription)"
    case .dataCorrupted(let context):
      corruption(context)
    default: "\(error)"
    }
  }

  private static func corruption(_ context: DecodingError.Context) -> String {
    guard context.codingPath.isEmpty else {
      return "key \"\(name(context.codingPath))\": \(context.debugDescription)"
    }
    let position = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
    return "this is not valid JSON: \(position ?? context.debugDescription)"
  }

  private static func name(_ path: [any CodingKey]) -> String {
    path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
  }
}
