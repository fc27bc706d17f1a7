/// What is measured, and what counts where the definitions leave a choice.
package struct ScoringRule: Equatable, Sendable {
  /// Whose conventions hold.
  package enum Conventions: String, CaseIterable, Sendable {
    case standard
    /// The BraTS challenge's: its regions, and its price for a region that only one side has.
    case brats
  }

  package var conventions = Conventions.standard
  /// The largest distance in mm at which two surfaces count as equal in NSD, 0 or more.
  // Our choice: the voxel size of BraTS; coarser data wants about its own.
  package var tolerance = 1.0
  /// Tolerances of single classes in mm, by their key or name.
  package var classTolerances: [String: Double] = [:]
  /// Whether lesions are compared one by one.
  package var comparesLesions = true

  /// The standard conventions.
  package init() {}

  /// What validation during training measures: all that costs nothing beside HD95.
  package static var validation: ScoringRule {
    var rule = ScoringRule()
    rule.comparesLesions = false
    return rule
  }

  /// The tolerance of a class in mm.
  package func tolerance(of kind: ScoredClass) -> Double {
    classTolerances[kind.key] ?? classTolerances[kind.name] ?? tolerance
  }

  /// HD95 in mm where only one of the masks is empty.
  func missingDistance(diagonal: Double) -> Double {
    switch conventions {
    case .standard: diagonal
    // The challenge's number, whatever the image: the diagonal of 240 x 240 x 155 voxels of 1 mm.
    case .brats: Double(240 * 240 + 240 * 240 + 155 * 155).squareRoot()
    }
  }

  /// The definitions in words, printed with every table of `classes`.
  package func text(for classes: [ScoredClass]) -> String {
    let special = classes.filter { tolerance(of: $0) != tolerance }
      .map { "\($0.name) \(Self.millimeters(tolerance(of: $0)))" }
    let tolerances =
      Self.millimeters(tolerance)
      + (special.isEmpty ? "" : " (\(special.joined(separator: ", ")))")
    return """
      Conventions: \(conventions.rawValue). Dice 2|X and Y| / (|X| + |Y|). HD95 in mm: the larger of \
      the two directed 95th percentiles (linear interpolation) of distances between surface voxel \
      centers; surface = mask voxels with a 6-neighbor outside the mask, outside the image counts \
      as background. NSD: the share of both surfaces' voxels at most \(tolerances) from the other \
      surface. Volume: prediction minus reference in ml. \(lesionText)Both empty: \(ones) 1, HD95 0. \
      One empty: \(ones) 0, HD95 = \(missingText). On the subject's own grid; mean = over foreground \
      classes of the mean over subjects.
      """
  }

  private var ones: String { "Dice, NSD" + (comparesLesions ? ", L. Dice and L. F1" : "") }

  private var lesionText: String {
    guard comparesLesions else { return "" }
    return """
      Lesions = 26-connected components. L. Dice: the mean over reference lesions of the Dice of \
      each with all predicted lesions that touch it, and 0 for each predicted lesion that touches \
      none. L. F1: 2 TP / (2 TP + FP + FN), TP = reference lesions that are touched.\u{20}
      """
  }

  private var missingText: String {
    switch conventions {
    case .standard: "the image's diagonal sqrt(sum (n spacing)^2)"
    case .brats: "373.13"
    }
  }

  private static func millimeters(_ value: Double) -> String {
    (value == value.rounded() ? "\(Int(value))" : "\(value)") + " mm"
  }
}
