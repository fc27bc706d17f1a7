import Imaging
import Yams

/// How one kind of transform is written: `{kind: noise, probability: 0.1, variance: [0, 0.1]}`.
private struct TransformForm {
  let kind: Augmentation.Kind
  let read: (YAMLValue) throws(TrainingError) -> Augmentation.Transform
  /// The transform's keys; nil for a transform of another kind.
  let write: (Augmentation.Transform) -> JSON?

  /// A form of the keys of `fields`; those left out have the values of `initial`.
  init<Value>(
    _ kind: Augmentation.Kind, _ initial: Value, _ fields: [Field<Value>],
    _ wrap: @escaping (Value) -> Augmentation.Transform,
    _ unwrap: @escaping (Augmentation.Transform) -> Value?
  ) {
    self.kind = kind
    let schema = Schema<Value>(fields: fields)
    read = { yaml throws(TrainingError) in
      var value = initial
      try schema.read(yaml, into: &value)
      return wrap(value)
    }
    write = { unwrap($0).map(schema.write) }
  }
}

extension TransformForm {
  private static func probability<Value>(_ path: WritableKeyPath<Value, Double>) -> Field<Value> {
    Field("probability", path, .fraction, "")
  }

  private static var spatial: [TransformForm] {
    [
      TransformForm(
        .rotation, Rotation(),
        [probability(\.probability), Field("degrees", \.degrees, .degrees, "")],
        { .rotation($0) }, { if case .rotation(let value) = $0 { value } else { nil } }),
      TransformForm(
        .scaling, Scaling(),
        [probability(\.probability), Field("factor", \.factor, .factors, "")],
        { .scaling($0) }, { if case .scaling(let value) = $0 { value } else { nil } }),
      TransformForm(
        .elastic, Elastic(),
        [
          probability(\.probability), Field("controlSpacing", \.controlSpacing, .positive, ""),
          Field("displacement", \.displacement, .amounts, ""),
        ], { .elastic($0) }, { if case .elastic(let value) = $0 { value } else { nil } }),
    ]
  }

  private static var filters: [TransformForm] {
    [
      TransformForm(
        .noise, Noise(),
        [probability(\.probability), Field("variance", \.variance, .amounts, "")],
        { .noise($0) }, { if case .noise(let value) = $0 { value } else { nil } }),
      TransformForm(
        .blur, Blur(),
        [
          probability(\.probability), Field("sigma", \.sigma, .sigmas, ""),
          Field("channelProbability", \.channelProbability, .fraction, ""),
        ], { .blur($0) }, { if case .blur(let value) = $0 { value } else { nil } }),
      TransformForm(
        .lowResolution, LowResolution(),
        [
          probability(\.probability), Field("zoom", \.zoom, .zooms, ""),
          Field("channelProbability", \.channelProbability, .fraction, ""),
        ], { .lowResolution($0) }, { if case .lowResolution(let value) = $0 { value } else { nil } }
      ),
    ]
  }

  private static var intensities: [TransformForm] {
    [
      TransformForm(
        .biasField, BiasField(),
        [probability(\.probability), Field("strength", \.strength, .notNegative, "")],
        { .biasField($0) }, { if case .biasField(let value) = $0 { value } else { nil } }),
      TransformForm(
        .brightness, Brightness(),
        [probability(\.probability), Field("factor", \.factor, .factors, "")],
        { .brightness($0) }, { if case .brightness(let value) = $0 { value } else { nil } }),
      TransformForm(
        .contrast, Contrast(),
        [probability(\.probability), Field("factor", \.factor, .factors, "")],
        { .contrast($0) }, { if case .contrast(let value) = $0 { value } else { nil } }),
      TransformForm(
        .invertedGamma, Gamma(probability: 0.1),
        [probability(\.probability), Field("gamma", \.gamma, .factors, "")],
        { .invertedGamma($0) }, { if case .invertedGamma(let value) = $0 { value } else { nil } }),
      TransformForm(
        .gamma, Gamma(), [probability(\.probability), Field("gamma", \.gamma, .factors, "")],
        { .gamma($0) }, { if case .gamma(let value) = $0 { value } else { nil } }),
    ]
  }

  private static var mirror: TransformForm {
    let expected = "a list of different axes of x, y and z"
    let axes = Codec<Axis>.choice().list(expected).checked(expected) {
      !$0.isEmpty && Set($0).count == $0.count
    }
    return TransformForm(
      .mirror, Mirroring(),
      [Field("axes", \.axes, axes, ""), probability(\.probability)],
      { .mirror($0) }, { if case .mirror(let value) = $0 { value } else { nil } })
  }

  /// The form of every kind; a test writes and reads each.
  static var all: [TransformForm] { spatial + filters + intensities + [mirror] }
}

extension Codec where Value == [Augmentation.Transform] {
  /// A list of transforms: one of each kind, of `mirror` one for each axis.
  static var transforms: Codec {
    let list = Codec<Augmentation.Transform>.transform.list("a list of transforms")
    return Codec(
      read: { yaml throws(TrainingError) in
        let transforms = try list.read(yaml)
        for (index, transform) in transforms.enumerated() {
          guard !transforms[..<index].contains(where: { overlap($0, transform) }) else {
            throw yaml.error("\(transform.kind.rawValue) is listed twice; keep one of them")
          }
        }
        return transforms
      }, write: list.write)
  }

  private static func overlap(
    _ a: Augmentation.Transform, _ b: Augmentation.Transform
  ) -> Bool {
    guard case .mirror(let a) = a, case .mirror(let b) = b else { return a.kind == b.kind }
    return !Set(a.axes).isDisjoint(with: b.axes)
  }
}

extension Codec where Value == Augmentation.Transform {
  static var transform: Codec {
    let forms = TransformForm.all
    return Codec(
      read: { yaml throws(TrainingError) in
        let (kind, keys) = try yaml.takingKind(expected: "{kind: mirror, ...}")
        let form = try kind.choose(from: forms.map(\.kind.rawValue)) { name in
          forms.first { $0.kind.rawValue == name }
        }
        return try form.read(keys)
      },
      write: { transform in
        let keys = forms.lazy.compactMap { $0.write(transform) }.first
        guard case .object(let members) = keys else { return .null }
        return .object([JSON.Member("kind", .string(transform.kind.rawValue))] + members)
      })
  }
}

extension YAMLValue {
  /// The value of the key `kind`, and this mapping without it.
  fileprivate func takingKind(
    expected: String
  ) throws(TrainingError) -> (kind: YAMLValue, keys: YAMLValue) {
    guard case .mapping(let mapping) = node else { throw self.expected(expected) }
    let pairs = mapping.map { ($0.key, $0.value) }
    guard let kind = pairs.first(where: { $0.0.scalar?.string == "kind" })?.1 else {
      throw error("the key 'kind' is missing")
    }
    let rest = pairs.filter { $0.0.scalar?.string != "kind" }
    return (
      YAMLValue(node: kind, path: path + ".kind", source: source),
      YAMLValue(
        node: .mapping(Node.Mapping(rest, mapping.tag, mapping.style, mapping.mark)), path: path,
        source: source)
    )
  }
}

extension Codec where Value == Double {
  static var degrees: Codec { number("an angle from 0 to 180") { (0...180).contains($0) } }
}

extension Codec where Value == ClosedRange<Double> {
  static var factors: Codec { range("two numbers above 0, [low, high]") { $0 > 0 } }
  static var amounts: Codec { range("two numbers of at least 0, [low, high]") { $0 >= 0 } }
  static var sigmas: Codec { range("two numbers from 0 to 10, [low, high]") { (0...10) ~= $0 } }
  static var zooms: Codec {
    range("two numbers above 0 and up to 1, [low, high]") { $0 > 0 && $0 <= 1 }
  }

  /// Two numbers that meet `isValid`, the smaller one first.
  private static func range(
    _ expected: String, _ isValid: @escaping (Double) -> Bool
  ) -> Codec {
    let list = Codec<Double>.any.list(expected).checked(expected) {
      $0.count == 2 && $0[0] <= $0[1] && $0.allSatisfy(isValid)
    }
    return Codec(
      read: { yaml throws(TrainingError) in
        let bounds = try list.read(yaml)
        return bounds[0]...bounds[1]
      }, write: { list.write([$0.lowerBound, $0.upperBound]) })
  }
}
