/// What is measured of a class; raw values are the keys of metrics.json.
package enum Measure: String, CaseIterable, Sendable {
  case dice
  /// In mm.
  case hd95
  case nsd
  /// Prediction minus reference in ml.
  case volumeDifference = "volume_difference"
  case lesionDice = "lesion_dice"
  case lesionF1 = "lesion_f1"

  /// The heading of its column.
  package var title: String {
    switch self {
    case .dice: "Dice"
    case .hd95: "HD95 mm"
    case .nsd: "NSD"
    case .volumeDifference: "Volume ml"
    case .lesionDice: "L. Dice"
    case .lesionF1: "L. F1"
    }
  }

  /// Digits behind the point in tables.
  package var digits: Int {
    switch self {
    case .hd95, .volumeDifference: 2
    case .dice, .nsd, .lesionDice, .lesionF1: 4
    }
  }
}

/// How well one class of one subject, or a mean of such, agrees with the reference.
package struct Score: Hashable, Codable, Sendable {
  /// In 0...1; nil where undefined.
  package var dice: Double?
  /// In mm; nil where undefined.
  package var hd95: Double?
  /// The normalized surface distance in 0...1; nil where it was not measured.
  package var nsd: Double?
  /// Prediction minus reference in ml; nil where it was not measured.
  package var volumeDifference: Double?
  /// In 0...1; nil where lesions were not compared.
  package var lesionDice: Double?
  /// In 0...1; nil where lesions were not compared.
  package var lesionF1: Double?

  package init(dice: Double? = nil, hd95: Double? = nil, nsd: Double? = nil) {
    self.dice = dice
    self.hd95 = hd95
    self.nsd = nsd
  }

  /// One of the measures.
  package subscript(measure: Measure) -> Double? {
    get {
      switch measure {
      case .dice: dice
      case .hd95: hd95
      case .nsd: nsd
      case .volumeDifference: volumeDifference
      case .lesionDice: lesionDice
      case .lesionF1: lesionF1
      }
    }
    set {
      switch measure {
      case .dice: dice = newValue
      case .hd95: hd95 = newValue
      case .nsd: nsd = newValue
      case .volumeDifference: volumeDifference = newValue
      case .lesionDice: lesionDice = newValue
      case .lesionF1: lesionF1 = newValue
      }
    }
  }

  /// The mean of each measure over the scores where it is defined; nil where it is nowhere.
  package static func mean(_ scores: [Score]) -> Score {
    combined(scores) { $0.isEmpty ? nil : $0.reduce(0, +) / Double($0.count) }
  }

  /// The standard deviation (of n - 1) of each measure over the scores where it is defined; nil
  /// where those are fewer than two.
  package static func deviation(_ scores: [Score]) -> Score {
    combined(scores) { values in
      guard values.count > 1 else { return nil }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(values.count - 1)).squareRoot()
    }
  }

  private static func combined(_ scores: [Score], _ combine: ([Double]) -> Double?) -> Score {
    var result = Score()
    for measure in Measure.allCases {
      result[measure] = combine(scores.compactMap { $0[measure] })
    }
    return result
  }
}
