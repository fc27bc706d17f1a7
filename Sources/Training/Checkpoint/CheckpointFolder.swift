import Files
import Foundation

/// The checkpoints of a run: `best`, `last`, and before it `last-1`, `last-2`, …
package struct CheckpointFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// The weights of the best validation.
  package var best: String { "\(path)/best.safetensors" }
  /// The newest checkpoint from which the run can go on.
  package var last: String { earlier(0) }

  /// The checkpoint that is `age` older than `last`.
  package func earlier(_ age: Int) -> String {
    "\(path)/last\(age == 0 ? "" : "-\(age)").safetensors"
  }

  // MARK: - Which there are

  /// The paths of `last` and those before it that are there, newest first.
  package var resumable: [String] { ages.map(earlier) }

  private var ages: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[1] == "safetensors" else { return nil }
      if parts[0] == "last" { return 0 }
      return parts[0].hasPrefix("last-") ? Int(parts[0].dropFirst("last-".count)) : nil
    }.filter { $0 >= 0 }.sorted()
  }

  /// A checkpoint to go on from, and newer ones that cannot be used.
  package struct Choice: Equatable, Sendable {
    package let path: String
    package let damaged: [Damage]

    init(path: String, damaged: [Damage] = []) {
      self.path = path
      self.damaged = damaged
    }
  }

  /// A checkpoint that is not as it was written.
  package struct Damage: Equatable, Sendable {
    package let path: String
    package let reason: String
  }

  /// The newest checkpoint that is whole, every byte of it read; nil where none was ever written.
  ///
  /// - Throws: `inputOutput` that names all of them where none is whole, or one may not be read.
  package func newestWhole() throws(TrainingError) -> Choice? {
    var damaged: [Damage] = []
    for path in resumable {
      do throws(TrainingError) {
        try Checkpoint(path).verify()
        return Choice(path: path, damaged: damaged)
      } catch {
        guard case .damaged(let file, let reason) = error else { throw error }
        damaged.append(Damage(path: file, reason: reason))
      }
    }
    if damaged.isEmpty { return nil }
    let list = damaged.map { "\($0.path): \($0.reason)" }.joined(separator: "; ")
    throw .inputOutput(
      "no checkpoint of the run is whole (\(list)): restore one from a backup, start from the best "
        + "weights with --resume never --weights \(best), or anew with --resume never; "
        + "training.keep: 2 keeps one to fall back on")
  }

  /// Takes a damaged checkpoint out of the row, where it would push whole ones out.
  ///
  /// - Returns: its new path; nil where it cannot be renamed.
  package func setAside(_ damage: Damage) -> String? {
    let aside = damage.path + ".damaged"
    return rename(damage.path, aside) == 0 ? aside : nil
  }

  // MARK: - The row of those before `last`

  /// Moves `last` and those before it on by one, as the new `last` is about to take its name.
  ///
  /// `last` keeps its name meanwhile, so that the newest one is there at every instant; on a file
  /// system without hard links `last-1` alone is for a moment.
  package func makeRoom(keeping keep: Int) throws(FileError) {
    // Without a `last`, as after a damaged one, there is nothing to make room for.
    guard keep > 1, access(last, F_OK) == 0 else { return }
    for age in stride(from: keep - 1, to: 1, by: -1) {
      try Self.move(earlier(age - 1), to: earlier(age))
    }
    unlink(earlier(1))
    if link(last, earlier(1)) != 0 { try Self.move(last, to: earlier(1)) }
  }

  private static func move(_ old: String, to new: String) throws(FileError) {
    guard rename(old, new) == 0 || errno == ENOENT else { throw .last }
  }

  /// Removes those that a run with a larger `keep` has left.
  func removeSurplus(keeping keep: Int) {
    for age in ages where age >= keep { unlink(earlier(age)) }
  }
}
