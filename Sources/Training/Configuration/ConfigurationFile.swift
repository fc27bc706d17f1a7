import Files
import Yams

extension Configuration {
  /// Reads a configuration file, with `overrides` of the form `key.path=value` put in its place.
  ///
  /// - Throws: `missing` for no such file, `inputOutput` for one that cannot be read,
  ///   `configuration` naming the key, its line or `--set` argument, and the nearest valid one.
  package static func load(
    _ path: String, overrides: [String] = []
  ) throws(TrainingError) -> Configuration {
    let text = try YAMLSource.text(
      of: path, called: "configuration", otherwise: "write one with 'lkdist init DATA'")
    return try parse(text, file: path, folder: Paths.folder(of: path), overrides: overrides)
  }

  /// Reads a configuration from text; `file` names it in errors, paths in it start from `folder`.
  package static func parse(
    _ yaml: String, file: String = "lkdist.yaml", folder: String = ".", overrides: [String] = []
  ) throws(TrainingError) -> Configuration {
    var source = YAMLSource(file: file, folder: folder)
    source.keyPaths = schema.fields.flatMap { field in
      field.below.map { field.name + "." + $0.name }
    }
    let root = try source.root(yaml, overrides: overrides)
    var configuration = Configuration()
    try schema.read(root, into: &configuration)
    configuration.data.path = Paths.absolute(configuration.data.path, from: folder)
    try configuration.checkFold(root)
    return configuration
  }

  private func checkFold(_ root: YAMLValue) throws(TrainingError) {
    guard case .index(let fold) = data.fold, data.splits == nil, fold >= data.folds else { return }
    // The key that is there is the one to blame; the other then has its default.
    let section = root.node.mapping?["data"]?.mapping
    let key = section?["fold"] != nil ? "fold" : "folds"
    let value = YAMLValue(
      node: section?[key] ?? root.node, path: "data.\(key)", source: root.source)
    throw value.error("fold \(fold) of \(data.folds) folds: choose 0..\(data.folds - 1) or all")
  }
}

extension YAMLSource {
  /// The text of a file that errors call a `kind`; `advice` is for one that is not there.
  static func text(
    of path: String, called kind: String, otherwise advice: String
  ) throws(TrainingError) -> String {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try InputFile.bytes(of: path)
    } catch  where error.isMissing {
      throw .missing("no \(kind) at \(path): \(advice)")
    } catch {
      throw .inputOutput("cannot read the \(kind) \(path): \(error.reason)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .configuration("\(path): not UTF-8 text; save the file as UTF-8")
    }
    return text
  }

  /// All that `yaml` holds, with `overrides` of the form `key.path=value` put in its place.
  func root(_ yaml: String, overrides: [String]) throws(TrainingError) -> YAMLValue {
    var source = self
    var node = try compose(yaml) ?? Node([(Node, Node)]())
    // A file of comments alone is one with every key left out.
    if node.scalar?.string == "" { node = Node([(Node, Node)]()) }
    for argument in overrides { try source.apply(argument, to: &node) }
    return YAMLValue(node: node, path: "", source: source)
  }

  /// Puts the value of a `--set key.path=value` argument into the tree of nodes.
  mutating func apply(_ argument: String, to node: inout Node) throws(TrainingError) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, keys.allSatisfy({ !$0.isEmpty }) else {
      throw .configuration(
        "--set \(argument): expected key.path=value, such as training.epochs=10")
    }
    let parser = YAMLSource(file: "--set \(argument)", folder: folder, isArgument: true)
    let value = try parser.compose(String(parts[1])) ?? Node("", .implicit, .plain)
    guard let replaced = node.replacing(keys[...], with: value) else {
      throw .configuration(
        "--set \(argument): '\(keys.dropLast().joined(separator: "."))' holds no keys")
    }
    overrides[keys.joined(separator: ".")] = argument
    node = replaced
  }
}

extension Configuration {
  /// The configuration as JSON with every key; its text is also YAML that `parse` reads.
  package var json: JSON { Self.schema.write(self) }

  /// The configuration as YAML with every key and its one-line comment.
  ///
  /// - Parameter header: lines put above as comments.
  package func commented(header: [String] = []) -> String {
    var lines = header.map { $0.isEmpty ? "#" : "# " + $0 }
    let schema = Self.schema
    for field in schema.fields {
      let value = field.write(self)
      guard case .object(let members) = value else {
        lines.append(Self.line(field.name, value, field.comment, indent: ""))
        continue
      }
      lines.append("\(field.name):  # \(field.comment)")
      for (member, below) in zip(members, field.below) {
        lines.append(Self.line(below.name, member.value, below.comment, indent: "  "))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func line(
    _ key: String, _ value: JSON, _ comment: String, indent: String
  ) -> String {
    let text = "\(indent)\(key): \(value.yamlText)"
    let column = 34
    return text + String(repeating: " ", count: max(2, column - text.count)) + "# " + comment
  }
}

extension JSON {
  /// The value as YAML on one line, without quotes where they are not needed.
  var yamlText: String {
    switch self {
    case .null, .bool, .integer: text
    case .number(let value): Self.yamlNumber(value)
    case .string(let value): Self.isPlain(value) ? value : Self.quoted(value)
    case .array(let values): "[" + values.map(\.yamlText).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.map { "\(JSON.string($0.key).yamlText): \($0.value.yamlText)" }
        .joined(separator: ", ") + "}"
    }
  }

  /// A number that other YAML readers also take for one: they want a point before an exponent.
  private static func yamlNumber(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e9 { return String(Int(value)) }
    let text = "\(value)"
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.first, first.isASCII, first.isLetter || first == "/" || first == "_"
    else { return false }
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    return !words.contains(text.lowercased())
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/_.-".contains($0)) }
  }
}
