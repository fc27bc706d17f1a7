import Tensors

/// Intensities of one channel's foreground over many subjects, in bounded memory.
///
/// Values are counted by their 16 leading bits: integers up to 65,536 (all of CT) exactly, others
/// within 8e-6 of their size. Mean and deviation come from the values themselves.
struct IntensityHistogram {
  private var counts: [Float: Int] = [:]
  private var count = 0
  private var mean = 0.0
  private var squares = 0.0

  /// Adds the values where `labels` is foreground (above 0).
  mutating func add(_ grid: VoxelGrid, channel: Int, where labels: [Int16]) {
    let values = grid.channel(channel)
    for (index, label) in labels.enumerated() where label > 0 {
      let value = values[index]
      count += 1
      let difference = Double(value) - mean
      mean += difference / Double(count)
      squares += difference * (Double(value) - mean)
      counts[Self.rounded(value), default: 0] += 1
    }
  }

  /// Percentiles 0.5 and 99.5 (linear between values, as NumPy's), mean and population deviation;
  /// nil without any foreground.
  var statistics: IntensityStatistics? {
    guard count > 0 else { return nil }
    let sorted = counts.sorted { $0.key < $1.key }
    return IntensityStatistics(
      lower: percentile(0.5, sorted), upper: percentile(99.5, sorted), mean: mean,
      deviation: (squares / Double(count)).squareRoot())
  }

  private func percentile(_ percent: Double, _ sorted: [(key: Float, value: Int)]) -> Double {
    let position = percent / 100 * Double(count - 1)
    let lower = value(at: Int(position), sorted)
    let upper = value(at: min(Int(position) + 1, count - 1), sorted)
    return lower + (upper - lower) * (position - position.rounded(.down))
  }

  private func value(at rank: Int, _ sorted: [(key: Float, value: Int)]) -> Double {
    var passed = 0
    for (value, times) in sorted {
      passed += times
      if passed > rank { return Double(value) }
    }
    return Double(sorted.last?.key ?? 0)
  }

  private static func rounded(_ value: Float) -> Float {
    Float(bitPattern: (value.bitPattern &+ 0x40) & ~0x7F)
  }
}

extension IntensityStatistics {
  /// Measures each channel over the foreground voxels of `subjects`, on their stored grids.
  ///
  /// - Parameter skipsBadData: whether subjects that cannot be used are passed over.
  /// - Throws: `badData` where no subject has foreground; what reading throws.
  package static func measure(
    _ subjects: [Subject], of dataset: Dataset, skipsBadData: Bool = false
  ) throws(ImagingError) -> [IntensityStatistics] {
    var histograms = dataset.channelNames.map { _ in IntensityHistogram() }
    for subject in subjects where subject.label != nil {
      let files: SubjectFiles
      do throws(ImagingError) { files = try SubjectFiles(subject, dataset: dataset) } catch {
        if skipsBadData && error.isBadSubject { continue }
        throw error
      }
      guard let labels = files.labels?.labels else { continue }
      var channel = 0
      for image in files.images {
        for index in 0..<image.grid.shape.channels {
          histograms[channel].add(image.grid, channel: index, where: labels)
          channel += 1
        }
      }
    }
    let statistics = histograms.compactMap(\.statistics)
    guard statistics.count == histograms.count else {
      throw .badData(
        "none of the \(subjects.count) training subjects of \(dataset.name) has a foreground "
          + "voxel, so ct normalization has nothing to measure; use another normalization")
    }
    return statistics
  }
}
