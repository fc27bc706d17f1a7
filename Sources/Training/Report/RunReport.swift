import Files
import Foundation
import Tensors

/// One call of `lkdist report`: a run's folder as one page that needs nothing else.
package struct RunReport {
  private let run: RunContents
  private let output: String
  private let subject: String?
  private let compute: Compute

  /// Reads what is in the folder at `path`.
  ///
  /// - Parameters:
  ///   - output: the page's file; nil for `report.html` in the run's folder.
  ///   - subject: whose attention is shown; nil for one of middling Dice.
  /// - Throws: `missing` for no folder, `badData` for one that no run has been in.
  package init(
    _ path: String, output: String?, subject: String?, on compute: Compute
  ) throws(TrainingError) {
    run = try RunContents(path)
    self.output = output ?? run.folder.report
    self.subject = subject
    self.compute = compute
  }

  /// Writes the page; its path.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func write() throws(TrainingError) -> String {
    try AtomicFile.write(page, to: output, kind: "report")
    return output
  }

  /// The page's text, HTML that is well-formed XML too.
  package var page: String {
    let scores = Part<ValidationScores>.read {
      try ValidationScores(of: run, on: compute.team)
    }
    let sections: [(id: String, title: String, html: String)] = [
      ("curves", "Curves", curves),
      ("scores", "Validation scores", section(scores) { ScoresSection(scores: $0).html }),
      ("subjects", "Subjects", section(scores) { SubjectsSection(scores: $0).html }),
      (
        "attention", "Attention",
        AttentionSection(run: run, scores: scores, wanted: subject, compute: compute).html
      ),
      ("origin", "Data, machine, configuration", OriginSection(run: run).html),
    ]
    let parts = sections.map { section in
      Markup.element(
        "section", ["id": section.id], Markup.text("h2", section.title) + section.html)
    }
    let links = sections.map { Markup.element("a", ["href": "#\($0.id)"], $0.title) }
    let body = header(links) + parts.joined(separator: "\n") + footer
    return "<!DOCTYPE html>\n"
      + Markup.element("html", ["lang": "en"], head + Markup.element("body", [:], body)) + "\n"
  }

  private var head: String {
    let metas =
      Markup.element("meta", ["charset": "utf-8"])
      + Markup.element(
        "meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
    let title = Markup.text("title", "\(run.name): lkdist report")
    return Markup.element("head", [:], metas + title + Markup.element("style", [:], Style.page))
  }

  private func header(_ links: [String]) -> String {
    let manifest = try? run.manifest.get()
    return Markup.element(
      "header", [:],
      Markup.text("h1", run.name) + Markup.text("p", class: "muted", standing)
        + Markup.element("nav", [:], links.joined(separator: "\n"))
        + KeyFigures(records: run.knownRecords, manifest: manifest).html)
  }

  /// How far the run is.
  private var standing: String {
    let epochs = (try? run.configuration.get())?.training.epochs
    let whole = epochs.map { " of \($0)" } ?? ""
    switch run.state {
    case .success(let state) where state.epoch == epochs:
      return "Finished: \(state.epoch) epochs, \(state.step) steps."
    case .success(let state):
      return "Not finished: the newest checkpoint has \(state.epoch)\(whole) epochs done."
    case .failure(let absence):
      return "Not finished: \(absence.reason)."
    }
  }

  private var curves: String {
    let records = run.knownRecords
    let charts = RunCurves(records, names: run.classNames).charts
    var parts: [String] = []
    if case .failure(let absence) = run.records { parts.append(Markup.missing(absence.reason)) }
    if records.steps.isEmpty { parts.append(Markup.missing("No step has been written yet.")) }
    if !records.steps.isEmpty && records.validations.isEmpty {
      parts.append(Markup.missing("There has been no validation yet."))
    }
    if records.unreadableLines > 0 {
      parts.append(
        Markup.missing("\(records.unreadableLines) lines of metrics.jsonl could not be read."))
    }
    let figures = charts.map {
      Markup.element("figure", [:], Markup.text("h3", $0.title) + $0.svg())
    }
    let isThinned = records.steps.count > ChartCurve.buckets
    let note =
      isThinned
      ? Markup.text(
        "p", class: "muted",
        "Lines are means of up to \(1 + (records.steps.count - 1) / ChartCurve.buckets) steps, the "
          + "pale bands their lowest to highest values.") : ""
    return parts.joined() + note
      + Markup.element("div", ["class": "charts"], figures.joined(separator: "\n"))
  }

  private func section<Value>(_ part: Part<Value>, _ html: (Value) -> String) -> String {
    switch part {
    case .success(let value): html(value)
    case .failure(let absence): Markup.missing(absence.reason)
    }
  }

  private var footer: String {
    Markup.element(
      "footer", [:],
      Markup.text(
        "p", class: "muted", "Written by lkdist \(Version.current) from \(run.folder.path)"))
  }
}
