/// The curves of a run: loss, learning rate, scores of its classes, time of a step.
package struct RunCurves {
  private let records: RunRecords
  private let names: [String: String]
  /// With more classes than this only the mean and the ends stand out.
  private static let manyClasses = Palette.tones.count

  /// - Parameter names: those of the classes by their keys in `metrics.jsonl`.
  package init(_ records: RunRecords, names: [String: String]) {
    self.records = records
    self.names = names
  }

  /// The charts that have something to show.
  package var charts: [Chart] { [loss, learningRate, dice, hd95, time].filter { !$0.isEmpty } }

  package var loss: Chart {
    Chart(
      "Loss of a step",
      [ChartCurve("loss", tone: .color(0), points: values(\.loss), digits: 3)], steps: steps)
  }

  package var learningRate: Chart {
    Chart(
      "Learning rate", [ChartCurve("", tone: .color(0), points: values(\.learningRate))],
      steps: steps)
  }

  package var dice: Chart {
    Chart("Dice of the validation", scores(\.dice, digits: 3), steps: steps, startsAtZero: false)
  }

  package var hd95: Chart {
    Chart("HD95 of the validation, mm", scores(\.hd95, digits: 2), steps: steps, cutsPeaks: true)
  }

  package var time: Chart {
    let parts: [(String, ChartCurve.Tone, KeyPath<StepSeconds, Double>)] = [
      ("whole step", .strong, \.total), ("exposed comm.", .color(1), \.allreduceExposed),
      ("waiting for data", .color(2), \.data),
    ]
    return Chart(
      "Time of a step, s",
      parts.map { name, tone, part in
        ChartCurve(
          name, tone: tone,
          points: records.steps.map { (Double($0.step), $0.seconds[keyPath: part]) },
          digits: 3)
      }, steps: steps, cutsPeaks: true)
  }

  /// From the first step to the last, the same for all charts.
  private var steps: ClosedRange<Double> {
    1...Double(max(records.steps.last?.step ?? 1, records.validations.last?.step ?? 1))
  }

  private func values(_ value: KeyPath<StepRecord, Double>) -> [(x: Double, y: Double?)] {
    records.steps.map { (Double($0.step), $0[keyPath: value]) }
  }

  /// The curve of each class and, above them all, of their mean.
  private func scores(
    _ measure: KeyPath<ValidationRecord, [ValidationRecord.Score]>, digits: Int
  ) -> [ChartCurve] {
    let keys = records.validations.last.map { $0[keyPath: measure].map(\.name) } ?? []
    let classes = keys.filter { $0 != ValidationRecord.meanKey }
    let isCrowded = classes.count > Self.manyClasses
    func curve(_ key: String, _ name: String, _ tone: ChartCurve.Tone) -> ChartCurve {
      let points = records.validations.map { record in
        let score = record[keyPath: measure].first { $0.name == key }
        return (x: Double(record.step), y: score?.value)
      }
      return ChartCurve(name, tone: tone, points: points, digits: digits)
    }
    let mean = curve(ValidationRecord.meanKey, "mean", .strong)
    guard classes.count > 1 else {
      return classes.map { curve($0, names[$0] ?? $0, .strong) }
    }
    return [mean]
      + classes.enumerated().map { index, key in
        curve(key, isCrowded ? "" : names[key] ?? key, isCrowded ? .quiet : .color(index))
      }
  }
}
