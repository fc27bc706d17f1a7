import Foundation

/// The scores of all subjects in all classes: what metrics.json, the CSV and the table show.
package struct Scores: Equatable, Sendable {
  /// What was measured.
  package let rule: ScoringRule
  /// In the order of the table.
  package let classes: [ScoredClass]
  /// Ascending by identifier; one score per class.
  package private(set) var subjects: [(identifier: String, scores: [Score])] = []
  /// Why other subjects have no score.
  package var failures: [String: String] = [:]

  /// No subject yet.
  package init(classes: [ScoredClass], rule: ScoringRule = ScoringRule()) {
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

  /// The definitions in words.
  package var ruleText: String { rule.text(for: classes) }

  /// For each class, the mean over subjects.
  package var classMeans: [Score] {
    classes.indices.map { index in Score.mean(subjects.map { $0.scores[index] }) }
  }

  /// For each class, the standard deviation over subjects.
  package var classDeviations: [Score] {
    classes.indices.map { index in Score.deviation(subjects.map { $0.scores[index] }) }
  }

  /// The mean over foreground classes of the mean over subjects.
  package var foreground: Score { Score.mean(classMeans) }

  /// The standard deviation over subjects of each one's mean over foreground classes.
  package var foregroundDeviation: Score {
    Score.deviation(subjects.map { Score.mean($0.scores) })
  }

  package static func == (left: Scores, right: Scores) -> Bool {
    left.rule == right.rule && left.classes == right.classes && left.failures == right.failures
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

  /// The contents of metrics.json; undefined measures are null. `failed` is there where subjects have
  /// no score.
  package func encode(to encoder: any Encoder) throws {
    var top = encoder.container(keyedBy: Key.self)
    try top.encode(ruleText, forKey: Key("rule"))
    try top.encode(rule.conventions.rawValue, forKey: Key("conventions"))
    var cases = top.nestedContainer(keyedBy: Key.self, forKey: Key("subjects"))
    for subject in subjects {
      var row = cases.nestedContainer(keyedBy: Key.self, forKey: Key(subject.identifier))
      try encode(subject.scores, into: &row)
    }
    if !failures.isEmpty { try top.encode(failures, forKey: Key("failed")) }
    var mean = top.nestedContainer(keyedBy: Key.self, forKey: Key("mean"))
    try encode(classMeans, into: &mean)
    try encode(foreground, name: nil, into: &mean, forKey: "foreground")
    var deviation = top.nestedContainer(keyedBy: Key.self, forKey: Key("sd"))
    try encode(classDeviations, into: &deviation)
    try encode(foregroundDeviation, name: nil, into: &deviation, forKey: "foreground")
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
    for measure in Measure.allCases {
      // JSON has no infinity; a measure that is not finite is undefined.
      let value = score[measure].flatMap { $0.isFinite ? $0 : nil }
      try entry.encode(value, forKey: Key(measure.rawValue))
    }
  }

  /// The bytes of metrics.json, indented, keys sorted.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
