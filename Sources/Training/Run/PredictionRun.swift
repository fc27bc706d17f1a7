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
  /// - Returns: the highest exit code of a subject's failure; the same on every rank.
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
      share: share, on: compute)
    let attention = try self.attention(on: compute)
    if world.rank == 0 { try world.barrier() }
    let own = jobs.indices.filter { sharesWindows || $0 % world.size == world.rank }.map {
      jobs[$0]
    }
    let log = PredictionLog(
      subjects: own.count, isQuiet: options.isQuiet || !share.isRoot)
    if world.rank == 0 { predictor.notes.forEach(log.warn) }
    var failures: [PredictionFailure] = []
    for job in own {
      do { try run(job, predictor, attention, share, log) } catch let error as CommunicationError {
        throw error
      } catch is Predictor.FailedElsewhere {
        continue
      } catch {
        failures.append(PredictionFailure(job.subject.identifier, error))
      }
    }
    return try report(failures, of: jobs.count, log)
  }

  private func attention(on compute: Compute) throws(TrainingError) -> AttentionRun? {
    try options.attentionChannels.map { channels throws(TrainingError) in
      try AttentionRun(
        checkpoints: options.checkpoints, channels: channels, overlap: options.overlap, on: compute)
    }
  }

  private func run(
    _ job: PredictionJob, _ predictor: Predictor, _ attention: AttentionRun?,
    _ share: WindowShare, _ log: PredictionLog
  ) throws {
    log.begin(job.subject.identifier)
    let outputs =
      [job.output] + (options.savesProbabilities ? [job.probabilities] : [])
      + (attention?.outputs(beside: job.output) ?? [])
    let prediction = try predictor.predict(request(job, share, log)) {
      guard share.isRoot else { return }
      try job.checkOutputs(outputs, overwrites: options.overwrites)
      for path in outputs { try ResultFolder.make(Paths.folder(of: path)) }
    }
    guard let prediction else { return }
    try prediction.probabilities?.write(to: job.probabilities)
    try NIfTI.write(prediction.labelMap, to: job.output)
    try attention?.write(of: job.subject, labels: prediction.labelMap, beside: job.output)
    log.wrote(job.output)
  }

  private func request(
    _ job: PredictionJob, _ share: WindowShare, _ log: PredictionLog
  ) -> Predictor.Request {
    Predictor.Request(
      subject: job.subject,
      probabilityFolder: options.savesProbabilities ? Paths.folder(of: job.probabilities) : nil,
      memory: MemoryLimit(options.memoryLimit, ranksOfThisHost: world.localSize),
      willRun: log.willRun, didWindow: log.didWindow, note: share.isRoot ? log.warn : { _ in })
  }

  /// Lists the failures of all ranks on the root.
  private func report(
    _ own: [PredictionFailure], of subjects: Int, _ log: PredictionLog
  ) throws -> ExitCode {
    try world.barrierPatiently()
    let code = try world.allreduceMax(own.map { Int($0.code) }.max() ?? 0)
    if let all = try world.gathered(own) {
      var named: [String: PredictionFailure] = [:]
      for failure in all.flatMap({ $0 }) {
        named[failure.subject] = named[failure.subject] ?? failure
      }
      let failures = named.values.sorted { $0.subject < $1.subject }
      if !failures.isEmpty, subjects > 1 {
        log.fail("\(failures.count) of \(subjects) subjects have no label map:")
      }
      for failure in failures { log.fail("\(failure.subject): \(failure.message)") }
    }
    return ExitCode(rawValue: Int32(code)) ?? .internal
  }
}

/// Why a subject has no label map.
struct PredictionFailure: Codable {
  let subject: String
  let message: String
  let code: Int32

  init(_ subject: String, _ error: any Error) {
    self.subject = subject
    message = "\(error)"
    code =
      switch error {
      case let error as ImagingError: error.exitCode.rawValue
      case let error as TrainingError: error.exitCode.rawValue
      default: ExitCode.internal.rawValue
      }
  }
}
