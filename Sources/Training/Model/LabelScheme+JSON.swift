import Imaging

/// A checkpoint keeps labels as a list of `{"value", "name"}`. Regions follow with the `values` that
/// belong to them and their `layer`, `value` being what they are painted as; the ignored label is
/// marked `ignored`.
extension LabelScheme {
  /// The labels as a checkpoint keeps them.
  package var json: JSON {
    let regions = regions.map { region -> JSON in
      [
        "value": .integer(region.painted), "name": .string(region.name),
        "values": .array(region.values.map { .integer($0) }), "layer": .integer(region.layer),
      ]
    }
    let ignored = [ignoredLabel].compactMap { $0 }.map { value -> JSON in
      ["value": .integer(value), "name": .string("ignore"), "ignored": .bool(true)]
    }
    return .array(
      labels.map { ["value": .integer($0.value), "name": .string($0.name)] } + regions + ignored)
  }
}

extension Dataset {
  /// The labels that a checkpoint keeps, with channels by number; no subjects. Nil where it keeps
  /// none.
  package init?(labels json: JSON, channels: Int, name: String) {
    guard let entries = json.array else { return nil }
    self.init(
      name: name, channelNames: (0..<channels).map { "channel \($0)" }, labels: [], subjects: [])
    for entry in entries {
      guard let value = entry["value"]?.integer, let name = entry["name"]?.string else {
        return nil
      }
      if let values = entry["values"]?.array, let layer = entry["layer"]?.integer {
        regions.append(
          Region(name: name, values: values.compactMap(\.integer), painted: value, layer: layer))
      } else if entry["ignored"] == .bool(true) {
        ignoredLabel = value
      } else {
        labels.append(DatasetLabel(value: value, name: name))
      }
    }
  }
}
