import Collectives
import Files
import Foundation
import Imaging
import Tensors

/// One call of `lkdist predict`; under a launcher the subjects are dealt to the ranks, or, of fewer
/// subjects than ranks, each one's windows.
package struct PredictionRun {
  /// What the command line says.
  package struct Options: Sendable {
    package var checkpoints: [String]
    package var inputs: [String]
    package var output: String
    package var overlap = 0.5
    package var mirrors = false
    /// Bytes that a rank may take; nil for a share of its host's.
    package var memoryLimit: Int?
    package var savesProbabilities = false
    /// The channels of attention that are saved besides the mean; nil to save none.
    package var attentionChannels: [Int]?
    package var overwrites = false
    package var isQuiet = false

    package init(checkpoints: [String], inputs: [String], output: String) {
      self.checkpoints = checkpoints
      self.inputs = inputs
      self.output = output
    }
  }

  private let options: Options
  private let world: Communicator
  private let threads: Int

  /// A prediction on all ranks of `world`. Collective.
  ///
  /// - Parameter threads: the value of `--threads`, if given.
  package init(
    options: Options, world: Communicator, threads: Int?
  ) throws(CommunicationError) {
    self.options = options
    self.world = world
    self.threads = try ThreadBudget.ofThisRank(flag: threads, world: world).threads
  }

  /// Writes the label map of every subject whose images can be used, and lists the others at the end.
  ///
  /// - Returns: `done`, or the code of the failures; the same on every rank.
  /// - Throws: what concerns all subjects: `missing` for a folder without images, a checkpoint that
  ///   cannot be used.
  package func run() throws -> ExitCode {
    // The root looks first, so that a mistake is told once.
    if world.rank > 0 { try world.barrier() }
    let jobs = try PredictionJob.list(options.inputs, output: options.output)
    let sharesWindows = jobs.count < world.size
    let share: WindowShare = sharesWindows ? .all(of: world) : .own
    let compute = Compute(threads: threads)
    let predictor = try Predictor(
      checkpoints: options.checkpoints, overlap: options.overlap, mirrors: options.mirrors,
      attention: options.attentionChannels, share: share, on: compute)
    if world.rank == 0 { try world.barrier() }
    let own = jobs.indices.filter { sharesWindows || $0 % world.size == world.rank }.map {
      jobs[$0]
    }
    let log = PredictionLog(
      subjects: own.count, isQuiet: options.isQuiet || !share.isRoot, drawsBar: world.rank == 0)
    if world.rank == 0 { predictor.notes.forEach(log.warn) }
    var failures: [SubjectFailure] = []
    for job in own {
      do { try run(job, predictor, share, log) } catch let error as CommunicationError {
        throw error
      } catch is Predictor.FailedElsewhere {
        continue
      } catch {
        failures.append(SubjectFailure(job.subject.identifier, error))
      }
    }
    return try report(failures, of: jobs.count, log)
  }

  private func run(
    _ job: PredictionJob, _ predictor: Predictor, _ share: WindowShare, _ log: PredictionLog
  ) throws {
    log.begin(job.subject.identifier)
    let attention = AttentionFiles(predictor.attention, beside: job.output)
    let outputs =
      [job.output] + (options.savesProbabilities ? [job.probabilities] : []) + attention.paths
    let prediction = try predictor.predict(request(job, attention, share, log)) {
      guard share.isRoot else { return }
      try job.checkOutputs(outputs, overwrites: options.overwrites)
      for path in outputs { try ResultFolder.make(Paths.folder(of: path)) }
    }
    guard let prediction else { return }
    try write(prediction, of: job, attention)
    log.wrote(job.output)
  }

  /// Writes all files of a subject or none: the label map comes last, and what was written before a
  /// failure is taken away.
  private func write(
    _ prediction: Predictor.Prediction, of job: PredictionJob, _ attention: AttentionFiles
  ) throws {
    var written: [String] = []
    do {
      if let maps = prediction.maps.probabilities {
        try maps.write(to: job.probabilities)
        written.append(job.probabilities)
      }
      if let maps = prediction.maps.attention {
        try attention.write(maps, of: job.subject, labels: prediction.labelMap) {
          written.append($0)
        }
      }
      try NIfTI.write(prediction.labelMap, to: job.output)
    } catch {
      for path in written { try? FileManager.default.removeItem(atPath: path) }
      throw error
    }
  }

  private func request(
    _ job: PredictionJob, _ attention: AttentionFiles, _ share: WindowShare, _ log: PredictionLog
  ) -> Predictor.Request {
    Predictor.Request(
      subject: job.subject,
      probabilityFolder: options.savesProbabilities ? Paths.folder(of: job.probabilities) : nil,
      attentionFolder: attention.folder,
      memory: MemoryLimit(options.memoryLimit, ranksOfThisHost: world.localSize),
      willRun: log.willRun, didWindow: log.didWindow, note: share.isRoot ? log.warn : { _ in })
  }

  /// Lists the failures of all ranks on the root.
  private func report(
    _ own: [SubjectFailure], of subjects: Int, _ log: PredictionLog
  ) throws -> ExitCode {
    try world.barrierPatiently()
    var code = ExitCode.done
    if let all = try world.gathered(own) {
      var named: [String: SubjectFailure] = [:]
      for failure in all.flatMap({ $0 }) {
        named[failure.subject] = named[failure.subject] ?? failure
      }
      let failures = named.values.sorted { $0.subject < $1.subject }
      if !failures.isEmpty, subjects > 1 {
        log.fail("\(failures.count) of \(subjects) subjects have no label map:")
      }
      for failure in failures { log.fail("\(failure.subject): \(failure.reason)") }
      code = SubjectFailure.exitCode(of: failures, done: subjects - failures.count)
    }
    return ExitCode(rawValue: Int32(try world.allreduceMax(Int(code.rawValue)))) ?? .internal
  }
}
