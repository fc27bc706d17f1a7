import Foundation

/// The few numbers that a report begins with.
struct KeyFigures {
  let records: RunRecords
  let manifest: JSON?

  var html: String {
    let items = ([dice, hd95] + steps).compactMap { $0 }.map { name, value, note in
      Markup.element(
        "div", [:],
        Markup.text("dt", name) + Markup.text("dd", value) + Markup.text("dd", note))
    }
    return items.isEmpty ? "" : Markup.element("dl", ["class": "figures"], items.joined())
  }

  private typealias Figure = (name: String, value: String, note: String)

  private var dice: Figure? {
    records.best.flatMap { best in
      best.meanDice.map {
        ("Best mean Dice", Progress.rounded($0, 4), "validation after epoch \(best.epoch)")
      }
    }
  }

  private var hd95: Figure? {
    records.best?.meanHD95.map { ("HD95 then, mm", Progress.rounded($0, 2), "mean of classes") }
  }

  private var steps: [Figure?] {
    guard let last = records.steps.last else { return [] }
    let times = records.steps.map(\.seconds)
    let totals = times.map(\.total)
    let total = totals.reduce(0, +)
    let exposed = times.map(\.allreduceExposed).reduce(0, +)
    let median = totals.sorted()[totals.count / 2]
    let workers = (manifest?["ranks"]?.integer).map { ranks in
      (ranks == 1 ? "1 rank" : "\(ranks) ranks")
        + (manifest?["threads"]?.integer.map { " x \($0) threads" } ?? "")
    }
    let recent = records.steps.filter { $0.epoch == last.epoch && $0.loss.isFinite }.map(\.loss)
    let loss = recent.reduce(0, +) / Double(max(1, recent.count))
    return [
      ("Loss", Progress.rounded(loss, 3), "mean of epoch \(last.epoch)"),
      ("Steps", ChartScale.grouped(last.step), "\(last.epoch) epochs begun"),
      ("Median step, s", Progress.rounded(median, 3), workers ?? "machine not known"),
      (
        "Time in steps", Progress.duration(total),
        "\(Progress.rounded(100 * exposed / max(total, 1e-9), 1)) % exposed communication"
      ),
    ]
  }
}
