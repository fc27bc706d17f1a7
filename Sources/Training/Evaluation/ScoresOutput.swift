import Files
import Foundation
import Imaging

/// Where scores and comparisons go: the terminal, and a JSON file with a CSV file beside it.
package struct ScoresOutput: Sendable {
  /// The JSON file's path; nil for none.
  private let path: String?
  private let overwrites: Bool
  /// Prints JSON instead of a table.
  private let printsJSON: Bool
  /// Prints no table and no notes.
  private let isQuiet: Bool

  package init(path: String?, overwrites: Bool, printsJSON: Bool, isQuiet: Bool) {
    self.path = path
    self.overwrites = overwrites
    self.printsJSON = printsJSON
    self.isQuiet = isQuiet
  }

  private var files: [String] {
    guard let path else { return [] }
    return [path, (path.hasSuffix(".json") ? String(path.dropLast(5)) : path) + ".csv"]
  }

  /// Sees before the work that the files may be written, and makes their folder.
  ///
  /// - Throws: `inputOutput` naming a file that exists, or the folder.
  package func check() throws(TrainingError) {
    for file in files { try ResultFile.check(file, overwrites: overwrites) }
    if let path { try ResultFolder.make(Paths.folder(of: path)) }
  }

  /// Prints scores, then writes them.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func write(_ scores: Scores) throws {
    let json = String(decoding: try scores.json(), as: UTF8.self) + "\n"
    try write(json: json, csv: scores.csv, table: scores.table(perSubject: true), kind: "scores")
  }

  /// Prints a comparison, then writes it.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func write(_ comparison: ScoresComparison) throws {
    try write(
      json: comparison.json.indentedText() + "\n", csv: comparison.csv, table: comparison.table,
      kind: "comparison")
    tell(comparison.notes, [])
  }

  private func write(json: String, csv: String, table: String, kind: String) throws {
    // What was computed is seen even where it cannot be kept.
    if printsJSON { print(json, terminator: "") } else if !isQuiet { print(table, terminator: "") }
    for (file, text) in zip(files, [json, csv]) {
      try AtomicFile.write(text, to: file, kind: kind)
    }
  }

  /// Says on stderr what a user should know, at the end what was not scored.
  func tell(_ notes: [String], _ failures: [SubjectFailure]) {
    let lines = isQuiet ? "" : notes.map { "lkdist: \($0)\n" }.joined()
    FileHandle.standardError.write(Data((lines + SubjectFailure.text(of: failures)).utf8))
  }
}
