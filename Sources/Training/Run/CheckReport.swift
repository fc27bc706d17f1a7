import Foundation
import Imaging

/// What `lkdist check` prints.
struct CheckReport {
  let check: DatasetCheck
  /// The data set as the user named it.
  let data: String
  let corrected: CorrectedFiles
  /// The folder that corrected copies were written to; nil where none were asked for.
  let copies: String?

  // MARK: - For people

  /// Figures, findings and their count; quiet is warnings and errors only.
  func text(isQuiet: Bool) -> String {
    let findings = check.findings.filter { !isQuiet || $0.severity != .note }.flatMap(lines)
    let lines = isQuiet ? findings + copyLines : figures + findings + copyLines + [verdict]
    return lines.map { $0 + "\n" }.joined()
  }

  private var figures: [String] {
    let (dataset, summary) = (check.dataset, check.summary)
    let tests = dataset.testSubjects.count
    let megabytes = String(format: "%.1f MB", Double(summary.bytes) / 1e6)
    let axes = ["x", "y", "z"]
    func row(_ name: String, _ spreads: [Spread]) -> String {
      name
        + zip(axes, spreads).map { axis, spread in
          String(
            format: "%@ %.4g to %.4g (median %.4g)", axis, spread.minimum, spread.maximum,
            spread.median)
        }.joined(separator: ", ")
    }
    return [
      "\(dataset.name): \(dataset.subjects.count) subjects"
        + (tests > 0 ? ", \(tests) of them for test" : "")
        + ", \(summary.files) files, \(megabytes)",
      "channels     " + dataset.channelNames.joined(separator: ", "),
      row("voxels       ", summary.sizes), row("spacing mm   ", summary.spacing),
      "orientation  "
        + summary.orientations.map { "\($0.name) \($0.count)" }.joined(separator: ", "), "",
    ] + classTable + [""]
  }

  private var classTable: [String] {
    let classes = check.summary.classes
    guard check.summary.labelVoxels > 0 else { return [] }
    let names = classes.map { "\($0.value) \($0.name)" }
    let width = (names.map(\.count).max() ?? 0)
    func row(_ cells: [String]) -> String {
      cells[0].padding(toLength: width, withPad: " ", startingAt: 0)
        + zip(cells.dropFirst(), [15, 10, 10]).map { text, width in
          String(repeating: " ", count: max(1, width - text.count)) + text
        }.joined()
    }
    let rows = zip(names, classes).map { name, frequency in
      row([
        name, "\(frequency.voxels)", String(format: "%.3f %%", 100 * share(frequency)),
        "\(frequency.subjects)",
      ])
    }
    return [row(["", "voxels", "share", "subjects"])] + rows
  }

  private func share(_ frequency: DatasetSummary.ClassFrequency) -> Double {
    Double(frequency.voxels) / Double(max(1, check.summary.labelVoxels))
  }

  private func lines(_ finding: Finding) -> [String] {
    let severity = finding.severity.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
    let place = [finding.subject, finding.file].compactMap { $0 }.joined(separator: "  ")
    let indent = String(repeating: " ", count: 9)
    return
      (place.isEmpty ? [severity + finding.problem] : [severity + place, indent + finding.problem])
      + [finding.remedy.map { indent + "fix: " + $0 }].compactMap { $0 }
  }

  private var copyLines: [String] {
    guard let copies else { return [] }
    let rest = corrected.uncorrected
    let left =
      rest.isEmpty
      ? [] : ["not corrected, for it would be a guess: " + rest.joined(separator: ", ")]
    guard !corrected.jobs.isEmpty else { return left + ["no file was written to \(copies)"] }
    return left + [
      "wrote corrected copies into \(copies): "
        + corrected.jobs.map(\.name).joined(separator: ", "),
      "look at them, then copy them over the originals",
    ]
  }

  private var verdict: String {
    let counts = Finding.Severity.allCases.map { severity in
      let count = check.count(severity)
      return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }
    return counts.joined(separator: ", ")
      + (check.count(.error) > 0 ? ": training would refuse this data set" : "")
  }

  // MARK: - For programs

  /// All of it as one object.
  var json: JSON {
    let (dataset, summary) = (check.dataset, check.summary)
    return [
      "data": .string(data), "name": .string(dataset.name),
      "layout": dataset.layout.map { .string($0.rawValue) } ?? .null,
      "subjects": .integer(dataset.subjects.count),
      "test_subjects": .integer(dataset.testSubjects.count),
      "files": .integer(summary.files), "bytes": .integer(summary.bytes),
      "channels": .array(dataset.channelNames.map(JSON.string)),
      "sizes": json(summary.sizes), "spacing": json(summary.spacing),
      "orientations": .object(summary.orientations.map { .init($0.name, .integer($0.count)) }),
      "classes": .array(summary.classes.map(json)),
      "errors": .integer(check.count(.error)), "warnings": .integer(check.count(.warning)),
      "notes": .integer(check.count(.note)), "findings": .array(check.findings.map(json)),
    ]
  }

  private func json(_ spreads: [Spread]) -> JSON {
    [
      "minimum": .array(spreads.map { .number($0.minimum) }),
      "median": .array(spreads.map { .number($0.median) }),
      "maximum": .array(spreads.map { .number($0.maximum) }),
    ]
  }

  private func json(_ frequency: DatasetSummary.ClassFrequency) -> JSON {
    [
      "value": .integer(frequency.value), "name": .string(frequency.name),
      "voxels": .integer(frequency.voxels), "share": .number(share(frequency)),
      "subjects": .integer(frequency.subjects),
    ]
  }

  private func json(_ finding: Finding) -> JSON {
    func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
    let job = corrected.jobs.first { $0.file == finding.file && finding.correction != nil }
    return [
      "severity": .string(finding.severity.rawValue), "kind": .string(finding.kind.rawValue),
      "subject": text(finding.subject), "file": text(finding.file),
      "problem": .string(finding.problem), "fix": text(finding.remedy),
      "corrected": text(copies.flatMap { copies in job.map { "\(copies)/\($0.name)" } }),
    ]
  }
}
