import Collectives
import Foundation
import Imaging
import Synchronization
import Tensors

/// The prepared subjects of a run, and the patches cut from them.
extension RunSetup {
  /// Told the identifier of each subject before it is prepared, on the thread that does it.
  package typealias PreparationWatcher = @Sendable (_ identifier: String) -> Void

  /// The prepared volumes on disk; nil where there are none.
  private func cache(_ watcher: @escaping PreparationWatcher) -> SubjectCache? {
    var preparer = preparer
    preparer.willPrepare = watcher
    return cacheFolder.map { SubjectCache(folder: $0, preparer: preparer) }
  }

  /// A store that prepares the given subjects when they are asked for.
  ///
  /// Mapped subjects are let go after use: the page cache keeps them for all ranks of the host.
  package func store(
    of subjects: [Subject], willPrepare watcher: @escaping PreparationWatcher = { _ in }
  ) -> SubjectStore {
    let byName = Dictionary(subjects.map { ($0.identifier, $0) }) { first, _ in first }
    let (name, cache) = (dataset.name, cache(watcher))
    var preparer = preparer
    preparer.willPrepare = watcher
    return SubjectStore(byteLimit: cache == nil ? subjectBytes : 0) {
      [preparer] identifier throws(ImagingError) in
      guard let subject = byName[identifier] else {
        throw .missing("subject \(identifier) is not in \(name)")
      }
      guard let cache else { return try preparer.prepare(subject) }
      return try cache.subject(subject)
    }
  }

  /// The loader of the patches that `feed` asks for.
  package func loader(
    of feed: PatchFeed, threads: Int = 1,
    willPrepare watcher: @escaping PreparationWatcher = { _ in }
  ) -> PatchLoader {
    let sampler = configuration.sampler
    let store = store(of: training, willPrepare: watcher)
    let names = training.map(\.identifier)
    return PatchLoader(threads: threads, requests: feed) { request throws(ImagingError) in
      let subject = try store.subject(names[request.subject])
      return sampler.sample(subject, epoch: request.epoch, position: request.position)
    }
  }

  /// Fills the cache while the run goes on: first what this rank needs in the epoch, then its share
  /// of the host's work, then what it validates; nil without a cache.
  func prepareAhead(
    _ plan: EpochPlan, world: Communicator, threads: Int,
    willPrepare watcher: @escaping PreparationWatcher
  ) -> PreparationAhead? {
    guard let cache = cache(watcher) else { return nil }
    let needed = (0..<plan.steps).flatMap { plan.patches(step: $0, rank: world.rank) }
    let share = training.indices.filter { $0 % world.localSize == world.localRank }
    var seen: Set<Int> = []
    let order = (needed.map(\.subject) + share).filter { seen.insert($0).inserted }
    let subjects = order.map { training[$0] } + validation(of: world)
    return PreparationAhead(threads: threads, subjects: subjects) {
      subject throws(ImagingError) in try cache.prepareAhead(subject)
    }
  }
}

extension RunSetup {
  /// The subjects that this rank validates, by `distributed.validation`.
  func validation(of world: Communicator) -> [Subject] {
    let place = configuration.distributed.validation
    return validation.indices
      .filter { place.rank(ofSubject: $0, ranks: world.size) == world.rank }
      .map { validation[$0] }
  }
}

// MARK: - Bad subjects

extension RunSetup {
  /// A subject that is left out of a run, and why.
  package struct BadSubject: Codable, Equatable, Sendable {
    package let identifier: String
    package let reason: String
  }

  /// The setup without the subjects whose files cannot be used: all subjects are prepared, dealt to
  /// the ranks, and the ranks agree on the bad ones. Plans and means are then those of a data set
  /// without them; folds are dealt before.
  ///
  /// - Throws: `badData` where none is left to train on; what keeps a good subject from being
  ///   prepared, such as a full disk.
  package func withoutBadSubjects(
    world: Communicator, threads: Int
  ) throws -> (setup: RunSetup, bad: [BadSubject]) {
    let subjects = training + validation
    let share = stride(from: world.rank, to: subjects.count, by: world.size).map { subjects[$0] }
    let own = try badSubjects(among: share, threads: threads)
    let lists = try world.gathered(own)
    let bad = try world.shared {
      (lists ?? []).flatMap { $0 }.sorted { $0.identifier < $1.identifier }
    }
    var setup = self
    let names = Set(bad.map(\.identifier))
    setup.training.removeAll { names.contains($0.identifier) }
    setup.validation.removeAll { names.contains($0.identifier) }
    guard let first = bad.first, setup.training.isEmpty else { return (setup, bad) }
    throw TrainingError.badData(
      "none of the \(training.count) training subjects can be used (data.onBadSubject: skip); "
        + "the first is \(first.identifier): \(first.reason)")
  }

  private func badSubjects(
    among subjects: [Subject], threads: Int
  ) throws(ImagingError) -> [BadSubject] {
    let cache = cache { _ in }
    let errors = Mutex<[Int: ImagingError]>([:])
    let team = ThreadTeam(threads: threads)
    defer { team.stop() }
    team.parallelFor(subjects.count) { index, _ in
      do throws(ImagingError) {
        if let cache {
          _ = try cache.subject(subjects[index])
        } else {
          _ = try preparer.prepare(subjects[index])
        }
      } catch {
        errors.withLock { $0[index] = error }
      }
    }
    var bad: [BadSubject] = []
    for (index, error) in errors.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      guard error.isBadSubject else { throw error }
      bad.append(BadSubject(identifier: subjects[index].identifier, reason: "\(error)"))
    }
    return bad
  }
}
