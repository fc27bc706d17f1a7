import Yams

/// One key of a section: how it is read into the section, and written back with its comment.
struct Field<Section> {
  let name: String
  let comment: String
  let read: (inout Section, YAMLValue) throws(TrainingError) -> Void
  let write: (Section) -> JSON
  /// The comments of the keys below, where this is a section of its own.
  let below: [(name: String, comment: String)]

  init<Value>(
    _ name: String, _ path: WritableKeyPath<Section, Value>, _ codec: Codec<Value>,
    _ comment: String
  ) {
    self.name = name
    self.comment = comment
    read = { section, yaml throws(TrainingError) in section[keyPath: path] = try codec.read(yaml) }
    write = { codec.write($0[keyPath: path]) }
    below = []
  }

  /// A key that holds a section with the keys of `schema`.
  init<Value>(
    _ name: String, _ path: WritableKeyPath<Section, Value>, _ schema: Schema<Value>,
    _ comment: String
  ) {
    self.name = name
    self.comment = comment
    read = { section, yaml throws(TrainingError) in
      // A section whose keys are all commented out is one with every key left out.
      if !yaml.isNull { try schema.read(yaml, into: &section[keyPath: path]) }
    }
    write = { schema.write($0[keyPath: path]) }
    below = schema.fields.map { ($0.name, $0.comment) }
  }
}

/// The keys of a section in the order they are written.
struct Schema<Section> {
  let fields: [Field<Section>]

  /// Reads the keys that are there into `section`; the others keep their values.
  func read(_ yaml: YAMLValue, into section: inout Section) throws(TrainingError) {
    guard case .mapping(let mapping) = yaml.node else {
      throw yaml.path.isEmpty
        ? .configuration("\(yaml.place(of: "", yaml.node)): expected keys and values")
        : yaml.expected("the keys \(fields.map(\.name).joined(separator: ", "))")
    }
    for (key, node) in mapping {
      let name = key.scalar?.string ?? ""
      let path = yaml.path.isEmpty ? name : yaml.path + "." + name
      guard let field = fields.first(where: { $0.name == name }) else {
        throw unknown(name, key, path: path, in: yaml)
      }
      try field.read(&section, YAMLValue(node: node, path: path, source: yaml.source))
    }
  }

  /// The section as JSON with every key.
  func write(_ section: Section) -> JSON {
    .object(fields.map { JSON.Member($0.name, $0.write(section)) })
  }

  /// The error for a key that is not of this section; a key of another section is found there.
  private func unknown(
    _ name: String, _ key: Node, path: String, in yaml: YAMLValue
  ) -> TrainingError {
    let siblings = fields.map(\.name)
    let nearest = Spelling.nearest(to: name, in: siblings) ?? ""
    let sibling = yaml.path.isEmpty ? nearest : yaml.path + "." + nearest
    let moved = yaml.source.keyPaths.first { $0.hasSuffix("." + name) }
    return .configuration(
      "\(yaml.place(of: path, key)): unknown key '\(path)'; did you mean '\(moved ?? sibling)'? "
        + "(keys here: \(siblings.joined(separator: ", ")))")
  }
}

extension Codec {
  /// A `{key: value}` record that starts as `initial`; the keys `required` may not be left out.
  static func record(_ initial: Value, required: [String], _ schema: Schema<Value>) -> Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        var value = initial
        try schema.read(yaml, into: &value)
        let present = yaml.node.mapping?.keys.compactMap(\.scalar?.string) ?? []
        if let missing = required.first(where: { !present.contains($0) }) {
          throw yaml.error("the key '\(missing)' is missing")
        }
        return value
      }, write: { schema.write($0) })
  }
}
