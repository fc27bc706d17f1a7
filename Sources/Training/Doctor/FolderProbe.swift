import Collectives
import Files
import Foundation

/// Tries a folder as a run would use it: files that replace others, seen by all ranks.
package struct FolderProbe: Sendable {
  package let folder: String

  package init(_ folder: String) { self.folder = folder }

  /// What one rank saw.
  package struct Sight: Codable, Equatable, Sendable {
    package var host: String
    /// Whether the rank read what the root had written.
    package var seesFile: Bool
    package var freeBytes: Int?
    /// Whether the folder lies in memory, and goes with the node.
    package var isInMemory: Bool

    package init(host: String, seesFile: Bool, freeBytes: Int?, isInMemory: Bool) {
      self.host = host
      self.seesFile = seesFile
      self.freeBytes = freeBytes
      self.isInMemory = isInMemory
    }
  }

  /// Writes, replaces, looks from all ranks, and removes. Collective; empty except on the root.
  func lines(_ world: Communicator) throws -> [Diagnosis] {
    let path = "\(folder)/.lkdist-doctor-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let failure = world.rank == 0 ? write(path) : nil
    defer { if world.rank == 0 { unlink(path) } }
    let name = try world.broadcast(failure == nil ? path : "")
    if let failure { return [failure] }
    guard !name.isEmpty else { return [] }
    let sights = try world.gathered(sight(of: name, from: world.hostName))
    return sights.map(lines(of:)) ?? []
  }

  private static let (first, second) = ("first", "second")

  /// Writes a file and replaces it; what went wrong, if anything did.
  private func write(_ path: String) -> Diagnosis? {
    func failed(_ reason: String) -> Diagnosis {
      .error(
        "file system", "\(folder): \(reason)",
        fix: "choose a folder that can be written: lkdist doctor --folder DIR")
    }
    do throws(FileError) {
      for text in [Self.first, Self.second] {
        try AtomicFile.write(path) { file throws(FileError) in try file.write(text) }
      }
      return read(path) == Self.second ? nil : failed("a renamed file does not replace the old one")
    } catch { return failed(error.reason) }
  }

  private func read(_ path: String) -> String? {
    (try? InputFile.bytes(of: path)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Network file systems may show a new file seconds late.
  private func sight(of path: String, from host: String) -> Sight {
    var tries = 50
    while read(path) != Self.second, tries > 0 {
      usleep(100_000)
      tries -= 1
    }
    return Sight(
      host: host, seesFile: tries > 0, freeBytes: FileSystem.freeBytes(at: folder),
      isInMemory: FileSystem.isInMemory(folder))
  }

  // MARK: - Rules

  /// The lines of what all ranks saw, in their order.
  package func lines(of sights: [Sight]) -> [Diagnosis] {
    let blind = Set(sights.filter { !$0.seesFile }.map(\.host)).sorted()
    guard blind.isEmpty else {
      return [
        .error(
          "file system", "\(folder) on \(blind.joined(separator: ", ")) is not the root's",
          fix: "use a file system that all nodes share, such as the home or scratch folder")
      ]
    }
    return [placement(sights), space(sights)]
  }

  private func placement(_ sights: [Sight]) -> Diagnosis {
    guard sights.contains(where: \.isInMemory) else {
      return .ok("file system", "\(folder): rename and fsync work, all ranks see it")
    }
    return .warning(
      "file system", "\(folder) lies in memory: it goes with the node, and takes from the ranks",
      fix: "keep runs on a disk: --output DIR")
  }

  private func space(_ sights: [Sight]) -> Diagnosis {
    guard let free = sights.compactMap(\.freeBytes).min() else {
      return .ok("free space", "\(folder): unknown")
    }
    let message = String(format: "%@: %.1f GB free", folder, Double(free) / 1e9)
    // `last` of the model `mid` takes 1.2 GB, twice while it is replaced, and `best` 0.4 GB.
    guard free >= 4_000_000_000 else {
      return .warning(
        "free space", message + ", while the checkpoints of a run take up to 3 GB",
        fix: "remove old runs, or choose another --output")
    }
    return .ok("free space", message)
  }
}
