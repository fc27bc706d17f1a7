import Yams

/// Where a configuration's text came from, to say so in errors.
struct YAMLSource {
  /// The file as the user named it.
  let file: String
  /// The folder that relative paths of the file start from.
  let folder: String
  /// Whether this is the value of a `--set` argument, which has no lines.
  var isArgument = false
  /// For each key path that `--set` replaced, the argument that did.
  var overrides: [String: String] = [:]
  /// Every key of every section as a full path, to find a key that is in the wrong section.
  var keyPaths: [String] = []

  /// The argument of `--set` that the value at `path` comes from, if any.
  func override(of path: String) -> String? {
    overrides.first { key, _ in
      path == key || path.hasPrefix(key + ".") || path.hasPrefix(key + "[")
    }?.value
  }

  /// Parses `yaml` into its nodes; nil for a text without any.
  func compose(_ yaml: String) throws(TrainingError) -> Node? {
    do {
      return try Yams.compose(yaml: yaml)
    } catch let error as YamlError {
      let (line, reason) = Self.explain(error)
      throw .configuration(isArgument ? "\(file): \(reason)" : "\(file), line \(line): \(reason)")
    } catch {
      throw .configuration("\(file): \(error)")
    }
  }

  private static func explain(_ error: YamlError) -> (line: Int, reason: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      (mark.line, "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      (context.mark.line, "duplicate key '\(keys.first ?? "")'; keep one of them")
    case .reader(let problem, let offset, _, let yaml):
      (yaml.prefix(offset ?? 0).count { $0.isNewline } + 1, "not YAML: \(problem)")
    default: (1, "not YAML: \(error)")
    }
  }
}

/// One value of a configuration with the way to it: what decoding reads and errors name.
struct YAMLValue {
  let node: Node
  /// The full key path, such as `optimizer.beta1` or `model.attention[0].scale`.
  let path: String
  let source: YAMLSource

  /// The file and line, or the `--set` argument, that the value at `path` comes from.
  func place(of path: String, _ node: Node) -> String {
    if let argument = source.override(of: path) { return "--set \(argument)" }
    // A mapping without a mark was made on the way to an overridden key below it.
    if node.mark == nil, let below = source.overrides.first(where: { $0.key.hasPrefix(path + ".") })
    {
      return "--set \(below.value)"
    }
    return "\(source.file), line \(node.mark?.line ?? 1)"
  }

  /// An error at this value.
  func error(_ message: String) -> TrainingError {
    .configuration("\(place(of: path, node)): \(path.isEmpty ? "" : path + ": ")\(message)")
  }

  /// The error for a value of the wrong type or out of its range.
  func expected(_ what: String) -> TrainingError {
    error("expected \(what), found \(found)")
  }

  /// How an error quotes the value.
  private var found: String {
    switch node {
    case .scalar(let scalar): isNull ? "nothing" : "'\(scalar.string)'"
    case .sequence: "a list"
    case .mapping: "keys and values"
    case .alias: "an alias"
    }
  }

  var isNull: Bool {
    guard let text = plainText else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// The text of a scalar without quotes, the only kind that may be a number, a truth value or null.
  var plainText: String? {
    guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else {
      return nil
    }
    return scalar.string
  }

  /// The text of a scalar, quoted or not, that is not null.
  var text: String? { isNull ? nil : node.scalar?.string }

  /// The elements of a list with their paths; nil for what is none.
  var elements: [YAMLValue]? {
    guard case .sequence(let sequence) = node else { return nil }
    return sequence.enumerated().map { index, element in
      YAMLValue(node: element, path: "\(path)[\(index)]", source: source)
    }
  }
}

extension Node {
  /// This mapping with the value at `keys` replaced; mappings on the way are made where missing.
  ///
  /// Nil where one of the keys on the way holds something other than a mapping.
  func replacing(_ keys: ArraySlice<String>, with value: Node) -> Node? {
    guard let key = keys.first else { return value }
    guard case .mapping(let mapping) = self else { return nil }
    var pairs = mapping.map { ($0.key, $0.value) }
    let index = pairs.firstIndex { $0.0.scalar?.string == key }
    let present = index.map { pairs[$0].1 }
    // A section that is there but empty is as good as one that is missing.
    let old = present?.scalar?.string == "" ? nil : present
    let below = keys.count == 1 ? value : old ?? Node([(Node, Node)]())
    guard let new = below.replacing(keys.dropFirst(), with: value) else { return nil }
    if let index { pairs[index].1 = new } else { pairs.append((Node(key), new)) }
    return .mapping(Node.Mapping(pairs, mapping.tag, mapping.style, mapping.mark))
  }
}
