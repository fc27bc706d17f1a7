import Collectives
import Files
import Foundation
import Imaging
import Synchronization
import Tensors

/// One call of `lkdist check`; under a launcher the subjects are dealt to the ranks.
package struct CheckRun {
  /// What the command line says.
  package struct Options {
    /// The data set's folder or JSON file.
    let data: String
    /// Nil to see which it is.
    let layout: DatasetLayout?
    /// The folder for corrected copies.
    let fix: String?
    let printsJSON: Bool
    /// Warnings and errors only.
    let isQuiet: Bool

    package init(
      data: String, layout: DatasetLayout?, fix: String?, printsJSON: Bool, isQuiet: Bool
    ) {
      self.data = data
      self.layout = layout
      self.fix = fix
      self.printsJSON = printsJSON
      self.isQuiet = isQuiet
    }

    /// Why the folder for copies cannot be used; nil where it can.
    package var problem: String? {
      guard let fix else { return nil }
      let (copies, root) = (Paths.resolved(fix), Paths.resolved(folder))
      guard (copies + "/").hasPrefix(root + "/") else { return nil }
      return
        "--fix \(fix): corrected copies within the data set \(folder) would be taken for a part "
        + "of it; choose a folder beside it"
    }

    /// The folder that the data set's files lie in.
    fileprivate var folder: String { NIfTIFiles.isFolder(data) ? data : Paths.folder(of: data) }
  }

  private let options: Options
  private let world: Communicator
  private let threads: Int

  /// A check on all ranks of `world`. Collective.
  ///
  /// - Parameter threads: the value of `--threads`, if given.
  package init(
    options: Options, world: Communicator, threads: Int?
  ) throws(CommunicationError) {
    self.options = options
    self.world = world
    self.threads = try ThreadBudget.ofThisRank(flag: threads, world: world).threads
  }

  /// Reads every file once, prints on the root what was found, and writes corrected copies.
  ///
  /// - Returns: `badData` where training would refuse the data set; the same on every rank.
  /// - Throws: `ImagingError` for a data set whose description cannot be used, or files of it are
  ///   not there; `inputOutput` for copies that cannot be written.
  package func run() throws -> ExitCode {
    let dataset = try loadDataset()
    var errors = 0
    if let scans = try world.gathered(scanShare(of: dataset))?.flatMap({ $0 }) {
      let check = DatasetCheck(dataset, scans: scans)
      let corrected = CorrectedFiles(check, root: options.folder)
      if let fix = options.fix { try corrected.write(to: fix) }
      print(check, corrected)
      errors = check.count(.error)
    }
    return try world.allreduceMax(errors) > 0 ? .badData : .done
  }

  /// The root looks first, so that a mistake is told once.
  private func loadDataset() throws -> Dataset {
    if world.rank > 0 { try world.barrier() }
    let dataset = try Dataset.load(options.data, layout: options.layout)
    if world.rank == 0 { try world.barrier() }
    return dataset
  }

  /// Reads this rank's files on all its threads.
  private func scanShare(of dataset: Dataset) -> [FileScan] {
    let files = DatasetCheck.files(of: dataset).enumerated()
      .filter { $0.offset % world.size == world.rank }.flatMap(\.element)
    let scans = Mutex<[FileScan]>([])
    let team = ThreadTeam(threads: threads)
    defer { team.stop() }
    team.parallelFor(files.count) { index, _ in
      let scan = FileScan(files[index].path, isLabelMap: files[index].isLabelMap)
      scans.withLock { $0.append(scan) }
    }
    return scans.withLock { $0 }
  }

  private func print(_ check: DatasetCheck, _ corrected: CorrectedFiles) {
    let report = CheckReport(
      check: check, data: options.data, corrected: corrected, copies: options.fix)
    Swift.print(
      options.printsJSON
        ? report.json.indentedText() + "\n" : report.text(isQuiet: options.isQuiet),
      terminator: "")
  }
}
