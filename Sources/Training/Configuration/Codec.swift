import Files

/// How a value of the configuration is read from YAML, checked, and written back.
struct Codec<Value> {
  let read: (YAMLValue) throws(TrainingError) -> Value
  /// The value as JSON, which is also YAML.
  let write: (Value) -> JSON

  /// This codec with a further condition that the value must meet.
  func checked(_ expected: String, _ isValid: @escaping (Value) -> Bool) -> Codec {
    let read = self.read
    return Codec(
      read: { yaml throws(TrainingError) in
        let value = try read(yaml)
        guard isValid(value) else { throw yaml.expected(expected) }
        return value
      }, write: write)
  }

  /// This codec for a value that may also be null.
  var optional: Codec<Value?> {
    let codec = self
    return Codec<Value?>(
      read: { yaml throws(TrainingError) in yaml.isNull ? nil : try codec.read(yaml) },
      write: { $0.map(codec.write) ?? .null })
  }

  /// A list of such values, with what `expected` calls it.
  func list(_ expected: String) -> Codec<[Value]> {
    let codec = self
    return Codec<[Value]>(
      read: { yaml throws(TrainingError) in
        guard let elements = yaml.elements else { throw yaml.expected(expected) }
        var values: [Value] = []
        for element in elements { values.append(try codec.read(element)) }
        return values
      }, write: { .array($0.map(codec.write)) })
  }
}

extension Codec where Value == Int {
  /// A whole number of at least `minimum`.
  static func integer(atLeast minimum: Int) -> Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        guard let value = yaml.plainText.flatMap({ Int($0) }), value >= minimum else {
          throw yaml.expected("a whole number of at least \(minimum)")
        }
        return value
      }, write: { .integer($0) })
  }
}

extension Codec where Value == Double {
  /// A finite number that meets `isValid`; `expected` says which ones do.
  static func number(_ expected: String, _ isValid: @escaping (Double) -> Bool) -> Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        guard let value = yaml.plainText.flatMap({ Double($0) }), value.isFinite, isValid(value)
        else { throw yaml.expected(expected) }
        return value
      }, write: { .number($0) })
  }

  static var positive: Codec { number("a number above 0") { $0 > 0 } }
  static var notNegative: Codec { number("a number of at least 0") { $0 >= 0 } }
  static var fraction: Codec { number("a number from 0 to 1") { (0...1).contains($0) } }
  static var belowOne: Codec { number("a number from 0 to below 1") { (0..<1).contains($0) } }
  static var any: Codec { number("a number") { _ in true } }
}

extension Codec where Value == Bool {
  /// True or false.
  static var flag: Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        switch yaml.plainText {
        case "true": return true
        case "false": return false
        default: throw yaml.expected("true or false")
        }
      }, write: { .bool($0) })
  }
}

extension Codec where Value == String {
  /// Any text but nothing at all.
  static func text(_ expected: String) -> Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        guard let text = yaml.text, !text.isEmpty else { throw yaml.expected(expected) }
        return text
      }, write: { .string($0) })
  }

  /// A path, made absolute: from the file's folder, or for `--set` from the working directory.
  static func path(_ expected: String) -> Codec {
    Codec(
      read: { yaml throws(TrainingError) in
        let path = try text(expected).read(yaml)
        let isOverride = yaml.source.override(of: yaml.path) != nil
        return Paths.absolute(path, from: isOverride ? Paths.workingDirectory : yaml.source.folder)
      }, write: { .string($0) })
  }
}

extension Codec where Value: CaseIterable & RawRepresentable<String> {
  /// One of the type's cases by its name.
  static func choice() -> Codec {
    let names = Value.allCases.map(\.rawValue)
    return Codec(
      read: { yaml throws(TrainingError) in
        try yaml.choose(from: names) { Value(rawValue: $0) }
      }, write: { .string($0.rawValue) })
  }
}

extension Codec {
  /// One of a type's cases by its name, or `other` for nil.
  static func choice<Case: CaseIterable & RawRepresentable<String>>(
    orNil other: String
  ) -> Codec where Value == Case? {
    let names = [other] + Case.allCases.map(\.rawValue)
    return Codec(
      read: { yaml throws(TrainingError) in
        try yaml.choose(from: names) { text -> Value? in
          text == other ? .some(nil) : Case(rawValue: text).map(Optional.some)
        }
      }, write: { .string($0?.rawValue ?? other) })
  }
}

extension YAMLValue {
  /// The value that `make` gives for this text, which must be one of `names`.
  func choose<Value>(
    from names: [String], or otherwise: String? = nil, _ make: (String) -> Value?
  ) throws(TrainingError) -> Value {
    let list = (names + (otherwise.map { [$0] } ?? [])).inWords
    guard let text else { throw expected(list) }
    if let value = make(text) { return value }
    let nearest = Spelling.nearest(to: text, in: names) ?? ""
    throw error("unknown value '\(text)'; did you mean '\(nearest)'? (\(list))")
  }
}

extension Sequence where Element == String {
  /// The words as "a, b or c".
  var inWords: String {
    let words = Array(self)
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }
}
