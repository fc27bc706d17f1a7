import Imaging
import Tensors

/// What a look at a data set's description and the headers of its images tells.
struct DatasetSurvey {
  /// With the labels that are learned.
  let dataset: Dataset
  /// Whether the data set itself names its labels.
  let namesLabels: Bool
  /// Median voxels along x, y, z at the median spacing.
  let sizes: [Int]
  /// Median mm along x, y, z of the RAS orientation.
  let spacing: [Double]

  /// Looks at the data set at `path`.
  ///
  /// - Throws: `ImagingError` naming the file; `missing` where nothing can be trained on.
  init(_ path: String) throws {
    let found = try Dataset.load(path)
    namesLabels = !found.labels.isEmpty
    guard !found.labeledSubjects.isEmpty else {
      throw TrainingError.missing("\(path) has no subject with a label map to train on")
    }
    dataset = try found.labeled()
    let grids = try dataset.labeledSubjects.compactMap { subject in
      try subject.images.first.map { try NIfTI.readGeometry($0, reoriented: "RAS") }
    }
    let spacing = (0..<3).map { axis in Self.median(grids.map { $0.spacing[axis] }) }
    sizes = (0..<3).map { axis in
      Int(
        Self.median(grids.map { Double($0.extent.xyz[axis]) * $0.spacing[axis] / spacing[axis] })
          .rounded())
    }
    self.spacing = spacing
  }

  private static func median(_ values: [Double]) -> Double { Spread(of: values)?.median ?? 0 }

  /// The folds that the data set says, ascending; nil where it says none.
  var folds: [Int]? {
    let folds = Set(dataset.labeledSubjects.compactMap(\.fold)).sorted()
    return folds.isEmpty ? nil : folds
  }

  /// What was found, a line each.
  var findings: [String] {
    Self.description(of: dataset) + [
      "median size \(sizes.map(String.init).joined(separator: " x ")) voxels of "
        + spacing.map { String(format: "%.3g", $0) }.joined(separator: " x ") + " mm"
    ]
  }

  /// What a data set's description says, a line each.
  static func description(of dataset: Dataset) -> [String] {
    let labels = dataset.labels.map { "\($0.value) \($0.name)" }.joined(separator: ", ")
    let ignored = dataset.ignoredLabel.map { "; \($0) is ignored" } ?? ""
    let regions = dataset.regions.map { region in
      "\(region.name) = \(region.values.map(String.init).joined(separator: " + "))"
    }
    let tests = dataset.testSubjects.count
    return dataset.notes + [
      "\(dataset.subjects.count) subjects" + (tests > 0 ? ", \(tests) of them for test" : "")
        + "; channels: " + dataset.channelNames.joined(separator: ", ") + "; labels: " + labels
        + ignored
    ] + (regions.isEmpty ? [] : ["regions: \(regions.joined(separator: ", "))"])
  }
}
