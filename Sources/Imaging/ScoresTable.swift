extension Scores {
  /// One line per subject and class, then the means; an undefined measure is an empty field.
  package var csv: String {
    let fields = subjects.flatMap { csvRows($0.identifier, $0.scores) }
    let means = csvRows("mean", classMeans) + [csvRow("mean", "foreground", "", foreground)]
    return (["subject,class,name,dice,hd95,nsd"] + fields + means).joined(separator: "\n") + "\n"
  }

  /// A table for the terminal: each subject's means where wanted, each class, the mean, the rule.
  package func table(perSubject: Bool = false) -> String {
    var rows = [["", "Dice", "HD95 mm"]]
    if perSubject { rows += subjects.map { tableRow($0.identifier, Score.mean($0.scores)) } }
    rows += zip(classes, classMeans).map { kind, score in
      tableRow(kind.key == kind.name ? kind.name : "\(kind.key) \(kind.name)", score)
    }
    rows.append(tableRow("mean of \(classes.count) classes", foreground))
    let width = rows.map { $0[0].count }.max() ?? 0
    let lines = rows.map { row in
      row[0] + String(repeating: " ", count: width - row[0].count)
        + row.dropFirst().map { padded($0, to: 10) }.joined()
    }
    let count = subjects.count == 1 ? "1 subject." : "\(subjects.count) subjects."
    return (lines + wrapped("\(count) \(rule)", to: 96)).joined(separator: "\n") + "\n"
  }

  private func csvRows(_ subject: String, _ scores: [Score]) -> [String] {
    zip(classes, scores).map { csvRow(subject, $0.key, $0.name, $1) }
  }

  private func csvRow(_ subject: String, _ key: String, _ name: String, _ score: Score) -> String {
    let measures = [score.dice, score.hd95, score.nsd].map { $0.map { "\($0)" } ?? "" }
    return ([subject, key, name].map(quoted) + measures).joined(separator: ",")
  }

  private func quoted(_ field: String) -> String {
    guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  private func tableRow(_ name: String, _ score: Score) -> [String] {
    [name, fixed(score.dice, digits: 4), fixed(score.hd95, digits: 2)]
  }

  private func fixed(_ value: Double?, digits: Int) -> String {
    guard let value, value.isFinite else { return "-" }
    let scale = digits == 4 ? 10_000 : 100
    let number = Int((value * Double(scale)).rounded())
    let fraction = String(number % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(number / scale).\(zeros)\(fraction)"
  }

  private func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }

  private func wrapped(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + word.count < width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
