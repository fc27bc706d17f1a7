import Foundation

/// The scores of two runs on the same subjects, class by class and measure by measure.
package struct ScoresComparison: Sendable {
  /// One class, or the mean over classes, in one measure.
  package struct Row: Sendable {
    /// As in metrics.json; `foreground` for the mean.
    package let key: String
    package let name: String
    package let measure: Measure
    /// Over the subjects where both runs have the measure.
    package let test: PairedTest
  }

  package let files: [ScoresFile]
  /// Measure by measure, classes in the files' order, then the mean.
  package let rows: [Row]
  /// In both files, ascending.
  package let subjects: [String]

  /// Pairs two files' subjects and classes by name.
  ///
  /// - Throws: `badData` where they have no subject or no class in common.
  package init(_ first: ScoresFile, _ second: ScoresFile) throws(ImagingError) {
    files = [first, second]
    subjects = first.subjects.keys.filter { second.subjects[$0] != nil }.sorted()
    let classes = first.classes.filter { kind in second.classes.contains { $0.key == kind.key } }
    guard !subjects.isEmpty, !classes.isEmpty else {
      throw .badData(
        "\(first.path) and \(second.path) have no \(subjects.isEmpty ? "subject" : "class") in "
          + "common; score both runs on the same subjects with the same --labels")
    }
    let keys = classes.map(\.key)
    var rows: [Row] = []
    for measure in Measure.allCases {
      // A class and its mean over classes are compared alike: as one value a subject.
      let groups = classes.map { ($0.key, $0.name, [$0.key]) } + [("foreground", "", keys)]
      for (key, name, members) in groups {
        let pairs = Self.pairs(of: members, measure, subjects, first, second)
        guard !pairs.isEmpty else { continue }
        let test = PairedTest(pairs.map(\.0), pairs.map(\.1))
        rows.append(Row(key: key, name: name, measure: measure, test: test))
      }
    }
    self.rows = rows
  }

  /// Each subject's means over those of some classes that both files score.
  private static func pairs(
    of keys: [String], _ measure: Measure, _ subjects: [String], _ files: ScoresFile...
  ) -> [(Double, Double)] {
    subjects.compactMap { subject in
      let scores = keys.compactMap { key -> (Score, Score)? in
        guard let a = files[0].subjects[subject]?[key], a[measure] != nil,
          let b = files[1].subjects[subject]?[key], b[measure] != nil
        else { return nil }
        return (a, b)
      }
      guard let a = Score.mean(scores.map(\.0))[measure],
        let b = Score.mean(scores.map(\.1))[measure]
      else { return nil }
      return (a, b)
    }
  }

  /// What makes the comparison less than it seems; one sentence each.
  package var notes: [String] {
    let alone = files.map { file in
      file.subjects.keys.filter { !subjects.contains($0) }.sorted()
    }
    let absent = zip(files, alone).filter { !$1.isEmpty }.map { file, names in
      "left out, for only \(file.path) has them: \(names.joined(separator: ", "))"
    }
    guard files[0].rule != files[1].rule else { return absent }
    return absent + ["the two files were scored by different rules: see \"rule\" in them"]
  }
}

extension ScoresComparison {
  /// The comparison as JSON: `measures`, by measure and class.
  package var json: JSON {
    let measures = Measure.allCases.filter { measure in rows.contains { $0.measure == measure } }
    return [
      "a": .string(files[0].path), "b": .string(files[1].path),
      "subjects": .array(subjects.map(JSON.string)), "tests": .string(Self.explanation),
      "notes": .array(notes.map(JSON.string)),
      "measures": .object(
        measures.map { measure in
          let members = rows.filter { $0.measure == measure }.map {
            JSON.Member($0.key, json(of: $0))
          }
          return JSON.Member(measure.rawValue, .object(members))
        }),
    ]
  }

  private func json(of row: Row) -> JSON {
    let test = row.test
    return [
      "name": .string(row.name), "n": .integer(test.count), "a": .finite(test.means[0]),
      "b": .finite(test.means[1]), "difference": .finite(test.difference),
      "difference_sd": .finite(test.deviation), "t": .finite(test.student?.statistic),
      "t_p": .finite(test.student?.p), "wilcoxon": .finite(test.wilcoxon?.statistic),
      "wilcoxon_p": .finite(test.wilcoxon?.p),
      "wilcoxon_method": test.wilcoxon.map { .string($0.method.rawValue) } ?? .null,
    ]
  }

  /// One line per measure and class.
  package var csv: String {
    let heading =
      "measure,class,name,n,a,b,difference,difference_sd,t,t_p,wilcoxon,wilcoxon_p,wilcoxon_method"
    let lines = rows.map { row in
      let test = row.test
      let numbers = [
        test.means[0], test.means[1], test.difference, test.deviation, test.student?.statistic,
        test.student?.p, test.wilcoxon?.statistic, test.wilcoxon?.p,
      ]
      return CSV.line(
        [row.measure.rawValue, row.key, row.name, "\(test.count)"] + numbers.map(CSV.number)
          + [test.wilcoxon?.method.rawValue ?? ""])
    }
    return ([heading] + lines).joined(separator: "\n") + "\n"
  }

  /// A table for the terminal, one block a measure.
  package var table: String {
    var table = TextTable()
    table.add(["", "n", "A", "B", "B - A", "± sd", "t-test p", "Wilcoxon p"])
    let classes = rows.filter { $0.measure == rows.first?.measure && $0.key != "foreground" }.count
    for measure in Measure.allCases {
      let rows = rows.filter { $0.measure == measure }
      if !rows.isEmpty { table.add([measure.title]) }
      for row in rows { table.add(cells(row, classes: classes)) }
    }
    let text = "A = \(files[0].path), B = \(files[1].path). \(Self.explanation)"
    return (table.lines + TextTable.wrapped(text)).joined(separator: "\n") + "\n"
  }

  private func cells(_ row: Row, classes: Int) -> [String] {
    let (test, digits) = (row.test, row.measure.digits)
    let name = row.key == row.name ? row.name : "\(row.key) \(row.name)"
    return [
      "  " + (row.key == "foreground" ? Scores.meanTitle(of: classes) : name), "\(test.count)",
      TextTable.number(test.means[0], digits: digits),
      TextTable.number(test.means[1], digits: digits),
      TextTable.number(test.difference, digits: digits, isSigned: true),
      TextTable.number(test.deviation, digits: digits), Self.p(test.student?.p),
      Self.p(test.wilcoxon?.p),
    ]
  }

  private static func p(_ value: Double?) -> String {
    guard let value else { return "-" }
    return value < 1e-4 ? String(format: "%.1e", value) : TextTable.number(value, digits: 4)
  }

  private static let explanation = """
    Paired over the subjects of both, two-sided, not corrected for the number of tests. t-test: \
    Student's on the differences B - A. Wilcoxon: signed ranks without zeros; exact for up to 50 \
    pairs without ties or zeros and up to 13 with, else by the normal distribution (SciPy's default).
    """
}
