import Files

/// The forecast for people and programs: a table, JSON, a drawing.
extension ScalingForecast {
  // MARK: - Table

  /// Efficiency in percent, a line a curve and a column a number of ranks.
  package var table: String {
    patches.map { patch in
      let rows = curves.filter { $0.patchSize == patch }.map { curve in
        Self.row(
          name(of: curve.kind), curve.points.map { Progress.rounded(100 * $0.efficiency, 1) })
      }
      let title = "patch \(Self.text(patch)): efficiency in %, simulated, by ranks"
      return ([title, Self.row("", input.ranks.map(String.init))] + rows).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static func row(_ name: String, _ cells: [String]) -> String {
    let first = "  " + name + String(repeating: " ", count: max(1, 34 - name.count))
    return first
      + cells.map { String(repeating: " ", count: max(1, 7 - $0.count)) + $0 }.joined()
  }

  private var patches: [[Int]] {
    input.patches.map(\.patchSize).reduce(into: []) { unique, patch in
      if !unique.contains(patch) { unique.append(patch) }
    }
  }

  private static func text(_ patch: [Int]) -> String {
    patch.map(String.init).joined(separator: " x ")
  }

  /// A case by what differs from one to another.
  private func name(of kind: Case) -> String {
    let parts = [
      kind.network, input.algorithms.count > 1 ? kind.algorithm.rawValue : nil,
      kind.compression == .none ? nil : kind.compression.rawValue,
    ]
    return parts.compactMap { $0 }.joined(separator: " ")
  }

  // MARK: - JSON

  /// Every point with its seconds.
  package var json: JSON {
    ["points": .array(curves.flatMap { curve in curve.points.map { Self.json(curve, $0) } })]
  }

  private static func json(_ curve: Curve, _ point: Point) -> JSON {
    let outcome = point.outcome
    return [
      "patch_size": .array(curve.patchSize.map { .integer($0) }),
      "network": .string(curve.kind.network),
      "algorithm": .string(curve.kind.algorithm.rawValue),
      "compression": .string(curve.kind.compression.rawValue), "ranks": .integer(point.ranks),
      "step_s": .number(outcome.step), "compute_s": .number(outcome.computing),
      "waiting_s": .number(outcome.waitingForSlowest),
      "allreduce_exposed_s": .number(outcome.exposed), "allreduce_alone_s": .number(point.sums),
      "efficiency": .number(point.efficiency),
    ]
  }

  // MARK: - Drawing

  /// Writes `svg` to a file.
  ///
  /// - Throws: `inputOutput` naming the file.
  package func draw(to path: String) throws(TrainingError) {
    try AtomicFile.write(svg, to: path, kind: "chart")
  }

  /// Efficiency over ranks, a chart a patch.
  package var svg: String {
    ChartSheet("Efficiency of a rank, %, simulated", note: note, patches.map(chart)).svg
  }

  private var note: String {
    let speed = Markup.length(input.computeSpeed)
    return "ranks per node: \(input.ranksPerNode); computing \(speed) x as fast as measured; "
      + "buckets of \(Markup.length(input.bucketMiB)) MiB"
  }

  private func chart(_ patch: [Int]) -> Chart {
    let shown = curves.filter { $0.patchSize == patch }.enumerated().map { index, curve in
      ChartCurve(
        name(of: curve.kind), tone: .color(index),
        points: curve.points.map { (Double($0.ranks), 100 * $0.efficiency) }, digits: 0)
    }
    let ranks = input.ranks.map(Double.init)
    return Chart(
      "patch \(Self.text(patch))", percentages: shown,
      ranks: (ranks.min() ?? 1)...(ranks.max() ?? 1))
  }
}
