extension Scores {
  /// One line per subject and class, then means and standard deviations; an undefined measure is an
  /// empty field.
  package var csv: String {
    let heading = CSV.line(["subject", "class", "name"] + Measure.allCases.map(\.rawValue))
    let fields = subjects.flatMap { csvRows($0.identifier, $0.scores) }
    let means = csvRows("mean", classMeans) + [csvRow("mean", "foreground", "", foreground)]
    let deviations =
      csvRows("sd", classDeviations) + [csvRow("sd", "foreground", "", foregroundDeviation)]
    return ([heading] + fields + means + deviations).joined(separator: "\n") + "\n"
  }

  /// A table for the terminal: each subject's means where wanted, mean and standard deviation of
  /// each class and of all, the rule. Measures that nobody took have no column.
  package func table(perSubject: Bool = false) -> String {
    var table = TextTable()
    table.add([""] + columns.map(\.title))
    if perSubject {
      for subject in subjects { table.add(row(subject.identifier, Score.mean(subject.scores))) }
    }
    for (kind, statistics) in zip(classes, zip(classMeans, classDeviations)) {
      add(kind.title, statistics.0, statistics.1, to: &table)
    }
    add(Self.meanTitle(of: classes.count), foreground, foregroundDeviation, to: &table)
    let count = subjects.count == 1 ? "1 subject." : "\(subjects.count) subjects."
    let lines = table.lines + TextTable.wrapped("\(count) \(ruleText)")
    return lines.joined(separator: "\n") + "\n"
  }

  /// What the row of the mean over classes is called.
  static func meanTitle(of classes: Int) -> String {
    "mean of \(classes) class\(classes == 1 ? "" : "es")"
  }

  private var columns: [Measure] {
    Measure.allCases.filter { measure in
      measure == .dice || measure == .hd95
        || subjects.contains { $0.scores.contains { $0[measure] != nil } }
    }
  }

  private func add(_ name: String, _ mean: Score, _ deviation: Score, to table: inout TextTable) {
    table.add(row(name, mean))
    if subjects.count > 1 { table.add(row("  ± sd", deviation)) }
  }

  private func row(_ name: String, _ score: Score) -> [String] {
    [name] + columns.map { TextTable.number(score[$0], digits: $0.digits) }
  }

  private func csvRows(_ subject: String, _ scores: [Score]) -> [String] {
    zip(classes, scores).map { csvRow(subject, $0.key, $0.name, $1) }
  }

  private func csvRow(_ subject: String, _ key: String, _ name: String, _ score: Score) -> String {
    CSV.line([subject, key, name] + Measure.allCases.map { CSV.number(score[$0]) })
  }
}

extension ScoredClass {
  /// Key and name for a table, once where they are the same.
  var title: String { key == name ? name : "\(key) \(name)" }
}
