import Foundation

/// A foreground class, or a region of several labels, that is scored on its own.
package struct ScoredClass: Hashable, Sendable {
  /// Its key in metrics.json: the label value, or a region's name.
  package var key: String
  package var name: String
  /// The label values that belong to it.
  package var values: [Int16]

  package init(key: String, name: String, values: [Int16]) {
    self.key = key
    self.name = name
    self.values = values
  }

  /// What is scored of a data set, in its order: its regions, or its foreground classes.
  package static func scored(of dataset: Dataset) -> [ScoredClass] {
    let regions = dataset.regions.map {
      ScoredClass(key: $0.name, name: $0.name, values: $0.values.map { Int16(clamping: $0) })
    }
    return regions.isEmpty ? foreground(of: dataset.labels) : regions
  }

  /// The foreground classes of a label list, in its order.
  package static func foreground(of labels: [DatasetLabel]) -> [ScoredClass] {
    labels.filter { $0.value != 0 }.map {
      ScoredClass(key: String($0.value), name: $0.name, values: [Int16(clamping: $0.value)])
    }
  }
}

/// How well one class of one subject, or a mean of such, agrees with the reference.
package struct Score: Hashable, Codable, Sendable {
  /// In 0...1; nil where undefined.
  package var dice: Double?
  /// In mm; nil where undefined.
  package var hd95: Double?
  /// The normalized surface distance in 0...1; nil where it was not measured.
  package var nsd: Double?

  package init(dice: Double?, hd95: Double?, nsd: Double? = nil) {
    self.dice = dice
    self.hd95 = hd95
    self.nsd = nsd
  }

  /// The mean of each measure over the scores where it is defined; nil where it is nowhere.
  package static func mean(_ scores: [Score]) -> Score {
    func mean(_ measure: KeyPath<Score, Double?>) -> Double? {
      let values = scores.compactMap { $0[keyPath: measure] }
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    return Score(dice: mean(\.dice), hd95: mean(\.hd95), nsd: mean(\.nsd))
  }
}

/// The scores of all subjects in all classes: what metrics.json, the CSV and the table show.
package struct Scores: Equatable, Sendable {
  /// The definitions in words.
  package let rule: String
  /// In the order of the table.
  package let classes: [ScoredClass]
  /// Ascending by identifier; one score per class.
  package private(set) var subjects: [(identifier: String, scores: [Score])] = []

  /// No subject yet.
  package init(classes: [ScoredClass], rule: String = Metrics.rule) {
    self.classes = classes
    self.rule = rule
  }

  /// Adds a subject, or replaces it; `scores` holds one per class, in their order.
  package mutating func add(_ identifier: String, _ scores: [Score]) {
    precondition(scores.count == classes.count, "\(scores.count) scores, \(classes.count) classes")
    subjects.removeAll { $0.identifier == identifier }
    let place = subjects.firstIndex { $0.identifier > identifier } ?? subjects.endIndex
    subjects.insert((identifier, scores), at: place)
  }

  /// For each class, the mean over subjects.
  package var classMeans: [Score] {
    classes.indices.map { index in Score.mean(subjects.map { $0.scores[index] }) }
  }

  /// The mean over foreground classes of the mean over subjects.
  package var foreground: Score { Score.mean(classMeans) }

  package static func == (left: Scores, right: Scores) -> Bool {
    left.rule == right.rule && left.classes == right.classes
      && left.subjects.elementsEqual(right.subjects, by: ==)
  }
}

extension Scores: Encodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ key: String) { stringValue = key }
    init(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  /// The contents of metrics.json; undefined measures are null.
  package func encode(to encoder: any Encoder) throws {
    var top = encoder.container(keyedBy: Key.self)
    try top.encode(rule, forKey: Key("rule"))
    var cases = top.nestedContainer(keyedBy: Key.self, forKey: Key("subjects"))
    for subject in subjects {
      var row = cases.nestedContainer(keyedBy: Key.self, forKey: Key(subject.identifier))
      try encode(subject.scores, into: &row)
    }
    var mean = top.nestedContainer(keyedBy: Key.self, forKey: Key("mean"))
    try encode(classMeans, into: &mean)
    try encode(foreground, name: nil, into: &mean, forKey: "foreground")
  }

  private func encode(_ scores: [Score], into row: inout KeyedEncodingContainer<Key>) throws {
    for (kind, score) in zip(classes, scores) {
      try encode(score, name: kind.name, into: &row, forKey: kind.key)
    }
  }

  private func encode(
    _ score: Score, name: String?, into row: inout KeyedEncodingContainer<Key>, forKey key: String
  ) throws {
    var entry = row.nestedContainer(keyedBy: Key.self, forKey: Key(key))
    if let name { try entry.encode(name, forKey: Key("name")) }
    let measures = [("dice", score.dice), ("hd95", score.hd95), ("nsd", score.nsd)]
    for (measure, value) in measures {
      // JSON has no infinity; a measure that is not finite is undefined.
      try entry.encode(value.flatMap { $0.isFinite ? $0 : nil }, forKey: Key(measure))
    }
  }

  /// The bytes of metrics.json, indented, keys sorted.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
