import Tensors

/// Finds what is wrong with the files of one subject.
struct SubjectCheck {
  let subject: Subject
  let dataset: Dataset
  /// In channel order.
  let images: [FileScan]
  let labelMap: FileScan?

  /// The largest shift that a corrected affine may have, in voxels along an axis. With a tenth at the
  /// origin and at each axis's end no corner moves by half a voxel, so that resampling to the
  /// nearest voxel would give the same label map.
  private static let correctableShift = 0.1

  var findings: [Finding] {
    unreadable + otherGrids + [channelCount].compactMap { $0 } + voxels + labels
  }

  private func finding(
    _ severity: Finding.Severity, _ kind: Finding.Kind, _ scan: FileScan, _ problem: String,
    remedy: String, correction: Finding.Correction? = nil
  ) -> Finding {
    Finding(
      severity, kind, subject: subject.identifier, file: scan.path, problem, remedy: remedy,
      correction: correction)
  }

  private var files: [FileScan] { images + [labelMap].compactMap { $0 } }

  private var unreadable: [Finding] {
    files.compactMap { scan in
      scan.failure.map {
        Finding(unreadable: scan.path, subject: subject.identifier, $0)
      }
    }
  }

  // MARK: - Grids

  private var otherGrids: [Finding] {
    guard let first = images.first, let reference = first.geometry else { return [] }
    return files.dropFirst().compactMap { scan in
      guard let grid = scan.geometry, !reference.matches(grid) else { return nil }
      guard grid.extent == reference.extent else {
        return finding(
          .error, .grid, scan,
          "has \(grid.extent) voxels, but \(first.path) has \(reference.extent)",
          remedy: "resample or export it again on the grid of that image")
      }
      return otherPlace(scan, grid, first.path, reference)
    }
  }

  private func otherPlace(
    _ scan: FileScan, _ grid: Geometry, _ first: String, _ reference: Geometry
  ) -> Finding {
    if !grid.isPlaced, reference.isPlaced, reference.hasSpacing(of: grid) {
      return finding(
        .error, .grid, scan, "has neither sform nor qform, but \(first) has",
        remedy: "--fix gives it the place of that image; look whether they then fit each other",
        correction: .grid(of: first))
    }
    let problem =
      "its corners lie up to \(millimeters(reference.largestShift(to: grid))) from those of "
      + "\(first), though both have \(grid.extent) voxels"
    guard reference.matches(grid, tolerance: Self.correctableShift) else {
      return finding(
        .error, .grid, scan, problem,
        remedy: "resample or export it again on the grid of that image")
    }
    return finding(
      .error, .grid, scan, problem,
      remedy: "--fix gives it the affine of that image, a shift far below half a voxel",
      correction: .grid(of: first))
  }

  private func millimeters(_ value: Double) -> String {
    value < 0.1 ? "\((value * 1e4).rounded() / 1e4) mm" : "\((value * 100).rounded() / 100) mm"
  }

  // MARK: - Voxels

  private var channelCount: Finding? {
    let (count, names) = (images.map(\.channels.count).reduce(0, +), dataset.channelNames)
    guard let first = images.first, count != names.count, images.allSatisfy({ $0.failure == nil })
    else { return nil }
    let (channels, verb) = (count == 1 ? "channel" : "channels", images.count > 1 ? "are" : "is")
    return finding(
      .error, .channels, first,
      "there \(verb) \(count) \(channels) in \(images.count == 1 ? "it" : "\(images.count) files"), "
        + "but the data set lists \(names.count) (\(names.joined(separator: ", ")))",
      remedy: "add or remove channels, or correct the list")
  }

  private var voxels: [Finding] {
    var channel = 0
    var findings: [Finding] = []
    for scan in images {
      let bad = scan.channels.map(\.nonFinite).reduce(0, +)
      if bad > 0 {
        findings.append(
          finding(
            .error, .nonFinite, scan, "\(Self.voxels(bad)) NaN or infinite",
            remedy: "replace such voxels; --fix makes them 0", correction: .zeros))
      }
      for tally in scan.channels {
        if bad == 0, tally.isConstant { findings.append(constant(scan, channel, tally)) }
        channel += 1
      }
    }
    return findings
  }

  private func constant(_ scan: FileScan, _ channel: Int, _ tally: ChannelTally) -> Finding {
    let names = dataset.channelNames
    let name = names.indices.contains(channel) ? names[channel] : "\(channel)"
    return finding(
      .warning, .constant, scan,
      "channel \(name) is \(tally.range?.lowerBound ?? 0) everywhere: there is nothing to see",
      remedy: "export the image again or leave the subject out")
  }

  private static func voxels(_ count: Int) -> String {
    count == 1 ? "1 voxel is" : "\(count) voxels are"
  }

  // MARK: - Labels

  private var labels: [Finding] {
    guard let labelMap, let tally = labelMap.labels else { return [] }
    guard labelMap.channels.count == 1 else {
      return [
        finding(
          .error, .channels, labelMap, "has \(labelMap.channels.count) channels; labels have one",
          remedy: "write one label per voxel into a 3-D file")
      ]
    }
    return [stray(labelMap, tally), unknown(labelMap, tally), unrounded(labelMap, tally)]
      .compactMap { $0 } + [empty(labelMap, tally)].compactMap { $0 }
  }

  private func stray(_ scan: FileScan, _ tally: LabelTally) -> Finding? {
    guard let first = tally.firstStray, let extent = scan.geometry?.extent else { return nil }
    return finding(
      .error, .labelValue, scan,
      "\(Self.voxels(tally.strays)) no label: \(extent.voxel(at: first.index)) (x, y, z) holds "
        + first.value,
      remedy: "labels are integers from -32768 to 32767; export the label map again, and resample "
        + "it to the nearest voxel if at all")
  }

  private func unknown(_ scan: FileScan, _ tally: LabelTally) -> Finding? {
    let known = dataset.knownValues
    let others = tally.counts.keys.filter { known.isEmpty ? $0 < 0 : !known.contains(Int($0)) }
    guard !others.isEmpty else { return nil }
    let found = others.sorted().prefix(10).map { "\($0) (\(tally.counts[$0] ?? 0) voxels)" }
    return finding(
      .error, .labelValue, scan,
      "holds \(found.joined(separator: ", ")), "
        + (known.isEmpty
          ? "but labels are 0 or more"
          : "which the data set does not list ("
            + known.sorted().map(String.init).joined(separator: ", ") + ")"),
      remedy: "correct the label map or add the label to \(dataset.labelSource)")
  }

  private func unrounded(_ scan: FileScan, _ tally: LabelTally) -> Finding? {
    guard tally.unrounded > 0 else { return nil }
    return finding(
      .note, .rounding, scan,
      "\(Self.voxels(tally.unrounded)) within 0.001 of a label but not exactly it; they are read "
        + "as that label",
      remedy: "none is needed; --fix writes whole numbers", correction: .wholeLabels)
  }

  private func empty(_ scan: FileScan, _ tally: LabelTally) -> Finding? {
    let background = [0, dataset.ignoredLabel ?? 0]
    let isEmpty = tally.counts.keys.allSatisfy { background.contains(Int($0)) }
    guard isEmpty, tally.strays == 0, subject.part == .training else { return nil }
    return finding(
      .warning, .emptyLabels, scan, "holds no foreground voxel",
      remedy: "draw the labels, or leave the subject out if it should have some")
  }
}

extension Dataset {
  /// The values that its label maps may hold; empty where nothing names them.
  package var knownValues: Set<Int> {
    labels.isEmpty ? [] : Set(labels.map(\.value) + [ignoredLabel].compactMap { $0 })
  }
}

extension Geometry {
  /// The largest distance in mm between corners of two grids of the same size.
  fileprivate func largestShift(to other: Geometry) -> Double {
    let ends = extent.xyz.map { [0, Double($0 - 1)] }
    var largest = 0.0
    for x in ends[0] {
      for y in ends[1] {
        for z in ends[2] {
          let shift =
            affine.position(x: x, y: y, z: z) - other.affine.position(x: x, y: y, z: z)
          largest = max(largest, (shift * shift).sum().squareRoot())
        }
      }
    }
    return largest
  }

  /// Whether the voxels of another grid have this one's size within a percent.
  fileprivate func hasSpacing(of other: Geometry) -> Bool {
    zip(spacing, other.spacing).allSatisfy { abs($0 - $1) <= 0.01 * $0 }
  }
}
