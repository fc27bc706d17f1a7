import Files
import Foundation
import Kernels
import Tensors

/// Where timings are kept: one file for each kind of processor, precision and split of a node.
struct TimingFile {
  let path: String

  /// The file in the folder of the user's caches (`XDG_CACHE_HOME`, else `~/.cache`), or in `folder`.
  init(
    in folder: String?, split: NodeSplit, precision: Precision,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    let caches =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? (environment["HOME"] ?? ".") + "/.cache"
    let machine = [
      Self.processor, InstructionSet.active, precision.rawValue, Version.current,
      "\(split.ranks)x\(split.threads)",
    ]
    let name = machine.joined(separator: " ").lowercased()
      .split { !($0.isLetter || $0.isNumber || $0 == ".") }.joined(separator: "-")
    path = "\(folder ?? caches + "/lkdist")/timings-\(name).json"
  }

  /// The timings kept there; none where there is no such file, or one that cannot be read.
  func read() -> PartTimings {
    FileManager.default.contents(atPath: path)
      .flatMap { try? JSONDecoder().decode(PartTimings.self, from: $0) } ?? PartTimings()
  }

  /// Keeps `timings`.
  ///
  /// - Throws: `inputOutput` naming the file.
  func write(_ timings: PartTimings) throws {
    try ResultFolder.make(Paths.folder(of: path))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    let text = String(decoding: try encoder.encode(timings), as: UTF8.self)
    try AtomicFile.write(text + "\n", to: path, kind: "file of timings")
  }

  /// The processor's name, as the system says it.
  private static var processor: String {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = lines.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map {
      $0.trimmingCharacters(in: .whitespaces)
    } ?? "processor"
  }
}
