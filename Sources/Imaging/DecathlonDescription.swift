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
    guard labels.allSatisfy({ (0...Int(Int16.max)).contains($0.value) }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .labels, in: object, debugDescription: "label values must be 0 to \(Int16.max)")
    }
    guard !labels.contains(where: { $0.name.lowercased() == "ignore" }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .labels, in: object,
        debugDescription: "the label \"ignore\" is not built yet; give those voxels another label")
    }
    return labels.sorted { $0.value < $1.value }
  }
}
