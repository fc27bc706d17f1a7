/// `progress.svg`: how far a run is and its curves, in one drawing to keep open while it trains.
package struct ProgressDrawing {
  private let sheet: ChartSheet

  /// The drawing of a run called `name`.
  package init(name: String, epochs: Int, records: RunRecords, names: [String: String]) {
    var parts: [String] = []
    if let last = records.steps.last {
      parts.append("epoch \(last.epoch) of \(epochs), step \(last.step)")
    }
    if let best = records.best, let dice = best.meanDice {
      parts.append("best mean Dice \(Progress.rounded(dice, 4)) after epoch \(best.epoch)")
    }
    sheet = ChartSheet(
      name, note: parts.joined(separator: "; "), RunCurves(records, names: names).charts)
  }

  /// The file's text.
  package var svg: String { sheet.svg }
}
