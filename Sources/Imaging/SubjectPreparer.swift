import Tensors

/// Prepares the subjects of one run on any number of threads, in bounded memory and all from the
/// files as they were when the run began.
package struct SubjectPreparer: Sendable {
  package let dataset: Dataset
  package let settings: PreparationSettings
  /// Called with the identifier of each subject before it is prepared, on the thread that does it.
  package var willPrepare: @Sendable (_ identifier: String) -> Void = { _ in }
  private let identities: [Subject: SourceIdentity]
  private let memory: MemoryBudget

  /// - Parameters:
  ///   - identities: the files of every subject that will be prepared, at the start of the run.
  ///   - bytes: what volumes at work may take; a larger one is prepared alone.
  package init(
    dataset: Dataset, settings: PreparationSettings, identities: [Subject: SourceIdentity],
    bytes: Int
  ) {
    self.dataset = dataset
    self.settings = settings
    self.identities = identities
    memory = MemoryBudget(bytes: bytes)
  }

  /// What the files of `subject` were at the start of the run.
  func identity(of subject: Subject) -> SourceIdentity {
    identities[subject] ?? SourceIdentity(of: subject)
  }

  /// Prepares a subject, after others where memory is short.
  ///
  /// - Throws: what preparing throws; `badData` for a file that changed since the run began.
  package func prepare(_ subject: Subject) throws(ImagingError) -> PreparedSubject {
    try memory.with(bytesNeeded(for: subject)) { () throws(ImagingError) in
      willPrepare(subject.identifier)
      try requireUnchanged(subject)
      let prepared = try Preparation.prepare(subject, dataset: dataset, settings: settings)
      // Once more, for a file may have changed while it was read.
      try requireUnchanged(subject)
      return prepared
    }
  }

  private func requireUnchanged(_ subject: Subject) throws(ImagingError) {
    let now = SourceIdentity(of: subject)
    guard let index = identity(of: subject).firstDifference(from: now) else { return }
    throw .badData(
      "\(subject.files[index]) of subject \(subject.identifier) was changed after the run began; "
        + "leave the data set alone while it is in use, and run again to go on with the new file")
  }

  /// 0 for a header that cannot be read, which preparing will tell.
  private func bytesNeeded(for subject: Subject) -> Int {
    guard let path = subject.images.first,
      let geometry = try? NIfTI.readGeometry(path).geometry
    else { return 0 }
    return Self.bytesNeeded(
      by: geometry, channels: dataset.channelNames.count, spacing: settings.spacing,
      isLabeled: true)
  }

  /// Bytes for the stored and prepared voxels of all channels and labels, and, where they are
  /// resampled, two copies of one channel on the way.
  package static func bytesNeeded(
    by geometry: Geometry, channels: Int, spacing target: [Double]?, isLabeled: Bool
  ) -> Int {
    let spacing = geometry.spacing
    // Axes may change places: only where any spacing may stand for any other no size changes for sure.
    let isKept =
      target.map { target in
        spacing.allSatisfy { own in target.allSatisfy { abs(own / $0 - 1) * 65_536 < 1 } }
      } ?? true
    let target = target ?? spacing
    let growth = (0..<3).reduce(1.0) { $0 * spacing[$1] / target[$1] }
    let (stored, prepared) = (
      Double(geometry.extent.voxels), Double(geometry.extent.voxels) * growth
    )
    let voxelBytes = Double(4 * channels + (isLabeled ? 2 : 0))
    let bytes = (stored + prepared) * voxelBytes + (isKept ? 0 : 8 * max(stored, prepared))
    return Int(min(bytes, 0x1p60))
  }
}
