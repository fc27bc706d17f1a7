import Imaging

// Values that may be written in more than one form.

extension Codec where Value == [DatasetLabel] {
  /// Names with their label values: `{background: 0, liver: 1}`.
  static var labels: Codec {
    let form = "names with label values, {background: 0, liver: 1, ...}"
    return Codec(
      read: { yaml throws(TrainingError) in
        guard let mapping = yaml.node.mapping else { throw yaml.expected(form) }
        var labels: [DatasetLabel] = []
        for (key, node) in mapping {
          let name = key.scalar?.string ?? ""
          let value = YAMLValue(node: node, path: "\(yaml.path).\(name)", source: yaml.source)
          labels.append(
            DatasetLabel(value: try Codec<Int>.integer(atLeast: 0).read(value), name: name))
        }
        let values = Set(labels.map(\.value))
        guard values.contains(0), values.count == labels.count, labels.count > 1,
          labels.allSatisfy({ $0.value <= Int(Int16.max) && !$0.name.isEmpty })
        else {
          throw yaml.error(
            "labels need 0 (background) and at least one other, each value once, up to "
              + "\(Int16.max)")
        }
        return labels.sorted { $0.value < $1.value }
      }, write: { labels in .object(labels.map { JSON.Member($0.name, .integer($0.value)) }) })
  }
}

extension Codec where Value == Configuration.Fold {
  static var fold: Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        if yaml.text == "all" { return .all }
        guard let index = yaml.plainText.flatMap({ Int($0) }), index >= 0 else {
          throw yaml.expected("a whole number of at least 0, or all")
        }
        return .index(index)
      },
      write: {
        switch $0 {
        case .index(let index): .integer(index)
        case .all: .string("all")
        }
      })
  }
}

extension Codec where Value == Configuration.Normalization {
  private typealias Kind = Configuration.Normalization
  private static var names: [(String, Kind)] {
    [("zscore", .zscore), ("zscore-nonzero", .zscoreNonzero), ("ct", .ct), ("none", .none)]
  }
  private static var form: String { "{kind: window, lower: L, upper: U}" }

  static var normalization: Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        guard yaml.node.mapping == nil else { return try window(yaml) }
        return try yaml.choose(from: names.map(\.0), or: form) { text in
          names.first { $0.0 == text }?.1
        }
      },
      write: { value in
        guard case .window(let lower, let upper) = value else {
          return .string(names.first { $0.1 == value }?.0 ?? "")
        }
        return ["kind": .string("window"), "lower": .number(lower), "upper": .number(upper)]
      })
  }

  private struct Window {
    var kind = ""
    var lower = 0.0
    var upper = 0.0
  }

  private static func window(_ yaml: YAMLValue) throws(TrainingError) -> Kind {
    let kind = Codec<String>.text("window").checked("window") { $0 == "window" }
    let schema = Schema<Window>(fields: [
      Field("kind", \.kind, kind, ""), Field("lower", \.lower, .any, ""),
      Field("upper", \.upper, .any, ""),
    ])
    let window = try Codec<Window>.record(Window(), required: ["kind", "lower", "upper"], schema)
      .read(yaml)
    guard window.lower < window.upper else { throw yaml.error("lower must be below upper") }
    return .window(lower: window.lower, upper: window.upper)
  }
}

extension Codec where Value == Configuration.NormalizationChoice {
  static var normalizationChoice: Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        let one = Codec<Configuration.Normalization>.normalization
        guard let elements = yaml.elements else { return .all(try one.read(yaml)) }
        guard !elements.isEmpty else { throw yaml.error("the list has no channel") }
        return .perChannel(try one.list("a list").read(yaml))
      },
      write: {
        let one = Codec<Configuration.Normalization>.normalization
        return switch $0 {
        case .all(let value): one.write(value)
        case .perChannel(let values): .array(values.map(one.write))
        }
      })
  }
}

extension Codec where Value == Configuration.Attention {
  private static var names: [(String, Value)] {
    [("none", .none), ("mid", .mid), ("full", .full), ("cbam", .cbam)]
  }
  private static var form: String { "a list of {scale, kernelSize, dilation}" }

  static var attention: Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        if yaml.elements != nil { return .list(try placements.read(yaml)) }
        return try yaml.choose(from: names.map(\.0), or: form) { text in
          names.first { $0.0 == text }?.1
        }
      },
      write: { value in
        guard case .list(let list) = value else {
          return .string(names.first { $0.1 == value }?.0 ?? "")
        }
        return placements.write(list)
      })
  }

  private static var placements: Codec<[Configuration.AttentionPlacement]> {
    let schema = Schema<Configuration.AttentionPlacement>(fields: [
      Field("scale", \.scale, .integer(atLeast: 0), ""),
      Field("kernelSize", \.kernelSize, .integer(atLeast: 1), ""),
      Field("dilation", \.dilation, .integer(atLeast: 1), ""),
      Field("decomposed", \.decomposed, .flag, ""),
    ])
    return Codec<Configuration.AttentionPlacement>.record(
      Configuration.AttentionPlacement(scale: 0, kernelSize: 1, dilation: 1),
      required: ["scale", "kernelSize", "dilation"], schema
    ).list(form)
  }
}
