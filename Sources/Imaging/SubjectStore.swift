import Foundation

/// Prepared subjects, kept for the next epoch; each is prepared once even if two threads ask.
package final class SubjectStore: @unchecked Sendable {
  private enum Entry {
    case loading
    case ready(PreparedSubject, use: Int)
    // Kept, so that a bad file is read once and always gives the same message.
    case failed(ImagingError)
  }
  private let load: @Sendable (String) throws(ImagingError) -> PreparedSubject
  private let byteLimit: Int?
  // Guards everything below.
  private let condition = NSCondition()
  private var entries: [String: Entry] = [:]
  private var uses = 0

  /// A store that prepares subjects with `load` and keeps all of them, or, with a limit, the most
  /// recently used ones whose images and labels fit in `byteLimit`.
  package init(
    byteLimit: Int? = nil,
    load: @escaping @Sendable (_ identifier: String) throws(ImagingError) -> PreparedSubject
  ) {
    self.byteLimit = byteLimit
    self.load = load
  }

  /// The subject, prepared now if it is not kept; waits where another thread is preparing it.
  ///
  /// - Throws: what preparing it threw, at this call or an earlier one.
  package func subject(_ identifier: String) throws(ImagingError) -> PreparedSubject {
    if let kept = try kept(identifier) { return kept }
    do {
      let subject = try load(identifier)
      keep(subject, as: identifier)
      return subject
    } catch {
      publish(.failed(error), as: identifier)
      throw error
    }
  }

  /// The bytes of the subjects that are kept.
  package var byteCount: Int {
    condition.lock()
    defer { condition.unlock() }
    return readySubjects.reduce(0) { $0 + Self.bytes($1.subject) }
  }

  /// The kept subject, or nil after marking it as being prepared by the caller.
  private func kept(_ identifier: String) throws(ImagingError) -> PreparedSubject? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      switch entries[identifier] {
      case .loading: condition.wait()
      case .failed(let error): throw error
      case .ready(let subject, _):
        uses += 1
        entries[identifier] = .ready(subject, use: uses)
        return subject
      case nil:
        entries[identifier] = .loading
        return nil
      }
    }
  }

  private func publish(_ entry: Entry, as identifier: String) {
    condition.lock()
    entries[identifier] = entry
    condition.broadcast()
    condition.unlock()
  }

  private func keep(_ subject: PreparedSubject, as identifier: String) {
    condition.lock()
    uses += 1
    entries[identifier] = .ready(subject, use: uses)
    dropOldest()
    condition.broadcast()
    condition.unlock()
  }

  private func dropOldest() {
    guard let byteLimit else { return }
    var kept = readySubjects.sorted { $0.use < $1.use }
    var bytes = kept.reduce(0) { $0 + Self.bytes($1.subject) }
    while bytes > byteLimit, kept.count > 1, let oldest = kept.first {
      bytes -= Self.bytes(oldest.subject)
      entries[oldest.identifier] = nil
      kept.removeFirst()
    }
  }

  private var readySubjects: [(identifier: String, subject: PreparedSubject, use: Int)] {
    entries.compactMap { identifier, entry in
      guard case .ready(let subject, let use) = entry else { return nil }
      return (identifier, subject, use)
    }
  }

  private static func bytes(_ subject: PreparedSubject) -> Int {
    subject.image.shape.count * 4 + (subject.labels?.count ?? 0) * 2
  }
}
