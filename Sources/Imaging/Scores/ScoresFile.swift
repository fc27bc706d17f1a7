/// The scores that a metrics.json holds.
package struct ScoresFile: Sendable {
  /// The file as the user named it.
  package let path: String
  /// The definitions that it was scored by; empty where it says none.
  package let rule: String
  /// The classes in the order of labels; regions in that of their names.
  package let classes: [(key: String, name: String)]
  /// Scores by subject and class.
  package let subjects: [String: [String: Score]]

  /// Reads the file that `lkdist evaluate -o` wrote.
  ///
  /// - Throws: `missing`, `inputOutput`, or `badData` naming the key that is no score.
  package init(_ path: String) throws(ImagingError) {
    self.path = path
    let file = try JSONFile(path)
    rule = try file["rule"]?.string ?? ""
    var subjects: [String: [String: Score]] = [:]
    var names: [String: String] = [:]
    for (subject, entries) in try file.value("subjects").members {
      var scores: [String: Score] = [:]
      for (key, entry) in try entries.members {
        names[key] = try entry["name"]?.string ?? key
        scores[key] = try Self.score(entry)
      }
      subjects[subject] = scores
    }
    guard !subjects.isEmpty else { throw file.error("it holds the scores of no subject") }
    self.subjects = subjects
    classes = names.map { (key: $0.key, name: $0.value) }.sorted { Self.precedes($0.key, $1.key) }
  }

  private static func score(_ entry: JSONFile) throws(ImagingError) -> Score {
    var score = Score()
    for measure in Measure.allCases {
      guard let value = entry[measure.rawValue] else { continue }
      guard let number = value.json.number else { throw value.error("expected a number or null") }
      score[measure] = number
    }
    return score
  }

  private static func precedes(_ a: String, _ b: String) -> Bool {
    switch (Int(a), Int(b)) {
    case (let a?, let b?): a < b
    case (_?, nil): true
    case (nil, _?): false
    case (nil, nil): a < b
    }
  }
}
