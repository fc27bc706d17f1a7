import Foundation
import Imaging
import Tensors

/// What `lkdist init` finds out about a data set, and the configuration it proposes.
package struct ConfigurationProposal {
  private let dataset: Dataset
  private let sizes: [Int]
  private let spacing: [Double]
  private let configuration: Configuration
  private let output: String

  /// Reads the data set's description and the headers of its images.
  ///
  /// - Throws: `ImagingError` naming the file; `configuration` where nothing can be trained on.
  package init(data: String, output: String) throws {
    dataset = try Dataset.load(data, layout: "auto")
    let labelled = dataset.subjects.filter { $0.label != nil }
    guard !labelled.isEmpty else {
      throw TrainingError.missing("\(data) has no subject with a label map to train on")
    }
    let grids = try labelled.compactMap { subject in
      try subject.images.first.map { try Self.grid(of: $0) }
    }
    spacing = (0..<3).map { axis in Self.median(grids.map { $0.spacing[axis] }) }
    let spacing = spacing
    sizes = (0..<3).map { axis in
      Int(
        Self.median(grids.map { Double($0.sizes[axis]) * $0.spacing[axis] / spacing[axis] })
          .rounded())
    }
    self.output = output
    configuration = Self.configuration(
      for: dataset, data: data, sizes: sizes, spacing: spacing, subjects: labelled.count)
  }

  /// Sizes and spacing along the axes of the RAS orientation.
  private static func grid(
    of path: String
  ) throws -> (sizes: [Int], spacing: [Double]) {
    let geometry = try NIfTI.readGeometry(path).geometry
    let mapping = try AxisMapping(from: geometry.affine, to: "RAS")
    let reoriented = mapping.reoriented(geometry)
    return (reoriented.extent.xyz, reoriented.spacing)
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  private static func configuration(
    for dataset: Dataset, data: String, sizes: [Int], spacing: [Double], subjects: Int
  ) -> Configuration {
    var result = Configuration()
    result.name = dataset.name.lowercased().replacing(" ", with: "-")
    result.data.path = Paths.absolute(data, from: Paths.workingDirectory)
    result.data.folds = min(5, max(2, subjects))
    result.data.spacing = spacing.map { ($0 * 1000).rounded() / 1000 }
    result.model.scales = scales(for: sizes)
    let multiple = 1 << (result.model.scales - 1)
    result.data.patchSize = sizes.map {
      min(largestPatch, ($0 + multiple - 1) / multiple * multiple)
    }
    let isCT = dataset.channelNames.allSatisfy { $0.uppercased() == "CT" }
    result.data.normalization = .all(isCT ? .ct : .zscore)
    return result
  }

  /// Our choice: larger patches of a 32-channel network take over 20 GB a rank.
  private static let largestPatch = 192

  /// As many scales as leave the lowest map at least 4 voxels along each axis, from 3 to 6.
  private static func scales(for sizes: [Int]) -> Int {
    (3...6).last { scales in
      sizes.allSatisfy { ($0 + (1 << (scales - 1)) - 1) >> (scales - 1) >= 4 }
    } ?? 3
  }

  /// Writes the configuration with a comment on every key.
  ///
  /// - Throws: `inputOutput` for a file that exists, unless it may be overwritten.
  package func write(overwrites: Bool) throws(TrainingError) {
    guard overwrites || !FileManager.default.fileExists(atPath: output) else {
      throw .inputOutput("\(output) exists; replace it with --overwrite or choose another with -o")
    }
    let header =
      ["lkdist configuration for \(dataset.name), written by lkdist init."] + findings
      + ["Any key may be left out; its default is then taken."]
    try AtomicFile.write(configuration.commented(header: header), to: output, kind: "configuration")
  }

  /// What was found and where the configuration went.
  package var summary: String {
    (findings + ["Wrote \(output): train with  mpirun -n 2 lkdist train \(output)"])
      .joined(separator: "\n")
  }

  private var findings: [String] {
    let labels = dataset.labels.map { "\($0.value) \($0.name)" }.joined(separator: ", ")
    return [
      "\(dataset.subjects.count) subjects; channels: "
        + dataset.channelNames.joined(separator: ", ") + "; labels: \(labels)",
      "median size \(sizes.map(String.init).joined(separator: " x ")) voxels of "
        + spacing.map { String(format: "%.3g", $0) }.joined(separator: " x ") + " mm",
    ]
  }
}
